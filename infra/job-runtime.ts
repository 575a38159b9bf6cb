// What a job's task needs of AWS: the cluster, the role with which ECS itself starts it, the group of its logs.

import { ArnFormat, RemovalPolicy, Stack, Validations } from "aws-cdk-lib";
import { Cluster, ContainerInsights } from "aws-cdk-lib/aws-ecs";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import type { RetentionDays } from "aws-cdk-lib/aws-logs";
import type { Bucket } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";
import { grant, throughServices } from "./grant.ts";
import type { Network } from "./network.ts";

export interface JobRuntimeProps {
  readonly namePrefix: string;
  readonly network: Network;
  readonly state: Bucket;
  readonly encryptionKey: IKey | undefined;
  readonly logRetention: RetentionDays;
}

export class JobRuntime extends Construct {
  readonly cluster: Cluster;
  readonly executionRole: Role;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: JobRuntimeProps) {
    super(scope, id);
    this.cluster = new Cluster(this, "Cluster", {
      clusterName: props.namePrefix,
      vpc: props.network.vpc,
      enableFargateCapacityProviders: true,
      containerInsightsV2: ContainerInsights.DISABLED,
    });
    Validations.of(this.cluster).acknowledge({
      id: "AwsSolutions-ECS4",
      reason:
        "Container Insights costs a metric for every task definition, and there is one for every set of images. The functions count jobs themselves.",
    });
    // Stays when the stack goes: it is all that is left of jobs whose GitLab has lost them. Its name is CloudFormation's,
    // so that the stack can come back.
    this.logGroup = new LogGroup(this, "Logs", {
      retention: props.logRetention,
      removalPolicy: RemovalPolicy.RETAIN,
      ...(props.encryptionKey && { encryptionKey: props.encryptionKey }),
    });
    this.executionRole = this.makeExecutionRole(props);
  }

  /** No container of a task can use it: ECS does, before they start. */
  private makeExecutionRole({ namePrefix, state, encryptionKey }: JobRuntimeProps): Role {
    const stack = Stack.of(this);
    const role = new Role(this, "Execution", {
      description:
        "Starts GitLab jobs: pulls their images, reads their environment files, writes their logs",
      assumedBy: new ServicePrincipal("ecs-tasks.amazonaws.com", {
        conditions: {
          ArnLike: { "aws:SourceArn": stack.formatArn({ service: "ecs", resource: "*" }) },
          StringEquals: { "aws:SourceAccount": stack.account },
        },
      }),
    });
    grant(role, [
      {
        actions: ["ecr:GetAuthorizationToken"],
        resources: ["*"],
        wide: "the action knows no resource",
      },
      {
        actions: [
          "ecr:BatchCheckLayerAvailability",
          "ecr:GetDownloadUrlForLayer",
          "ecr:BatchGetImage",
        ],
        resources: [
          stack.formatArn({
            service: "ecr",
            region: "*",
            resource: "repository",
            resourceName: "*",
          }),
        ],
        wide: "jobs name images of any of this account's repositories; a repository's own policy can say otherwise",
      },
      {
        actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
        resources: [this.logGroup.logGroupArn],
        wide: "every container of every task writes a stream of its own into this one group",
      },
      {
        actions: ["s3:GetObject"],
        resources: [state.arnForObjects("jobs/*.env")],
        wide: "every task has an environment file of its own in this one bucket",
      },
      { actions: ["s3:GetBucketLocation"], resources: [state.bucketArn] },
      {
        actions: ["secretsmanager:GetSecretValue"],
        resources: [
          stack.formatArn({
            service: "secretsmanager",
            resource: "secret",
            resourceName: `${namePrefix}/*`,
            arnFormat: ArnFormat.COLON_RESOURCE_NAME,
          }),
        ],
        wide: "logins to registries, made while the stack lives, below this one prefix",
      },
    ]);
    if (encryptionKey !== undefined) {
      grant(role, [
        {
          actions: ["kms:Decrypt"],
          resources: [encryptionKey.keyArn],
          conditions: throughServices(Stack.of(this)),
        },
      ]);
    }
    return role;
  }
}
