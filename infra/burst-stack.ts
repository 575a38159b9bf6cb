// The stack of one environment, from the settings in cdk.json.

import { Annotations, CfnOutput, Duration, Stack } from "aws-cdk-lib";
import type { App } from "aws-cdk-lib";
import { SecurityGroup, Vpc } from "aws-cdk-lib/aws-ec2";
import type { ISecurityGroup } from "aws-cdk-lib/aws-ec2";
import { ManagedPolicy } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { RetentionDays } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import { GitLabBurst } from "./gitlab-burst.ts";
import type { NetworkProps } from "./gitlab-burst.ts";
import type { Deployment } from "./settings.ts";

export class BurstStack extends Stack {
  readonly runner: GitLabBurst;

  constructor(app: App, deployment: Deployment, builtFolder?: string) {
    super(app, `gitlab-burst-${deployment.environment}`, {
      description: `GitLab runner ${deployment.environment}: one Fargate task for each job`,
    });
    const { network, logRetentionDays, cacheDays, kmsKeyArn, permissionsBoundaryArn, ...same } =
      deployment;
    this.runner = new GitLabBurst(this, "Runner", {
      ...given(same),
      ...(network && importNetwork(this, network)),
      ...(logRetentionDays !== undefined && {
        logRetention: logRetentionDays === 0 ? RetentionDays.INFINITE : logRetentionDays,
      }),
      ...(cacheDays !== undefined && { cacheExpiry: Duration.days(cacheDays) }),
      ...(kmsKeyArn !== undefined && { encryptionKey: Key.fromKeyArn(this, "Key", kmsKeyArn) }),
      ...(permissionsBoundaryArn !== undefined && {
        permissionsBoundary: ManagedPolicy.fromManagedPolicyArn(
          this,
          "Boundary",
          permissionsBoundaryArn,
        ),
      }),
      ...(builtFolder !== undefined && { builtFolder }),
    });
    this.tell();
  }

  private tell(): void {
    const { runner } = this;
    const outputs: Readonly<Record<string, string>> = {
      ClusterName: runner.cluster.clusterName,
      StateBucketName: runner.stateBucket.bucketName,
      CacheBucketName: runner.cacheBucket.bucketName,
      JobLogGroupName: runner.jobLogGroup.logGroupName,
      PollerName: runner.functions.poller.functionName,
      LauncherName: runner.functions.launcher.functionName,
      ReaperName: runner.functions.reaper.functionName,
      SweeperName: runner.functions.sweeper.functionName,
      FailuresQueueUrl: runner.failures.queueUrl,
      JobRolePath: runner.jobRolePath,
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }
}

/** By ids only: looking a network up takes credentials, and synthesizing shall take none. */
function importNetwork(
  scope: Construct,
  network: NonNullable<Deployment["network"]>,
): NetworkProps {
  const { vpcId, subnetIds, securityGroupIds, assignPublicIp, functions } = network;
  const all = [...new Set([...subnetIds, ...(functions?.subnetIds ?? [])])];
  const vpc = Vpc.fromVpcAttributes(scope, "Vpc", {
    vpcId,
    availabilityZones: all.map((_, index) => `zone-${index}`),
    privateSubnetIds: all,
  });
  for (const subnet of vpc.privateSubnets) {
    // Routes are the network owner's.
    Annotations.of(subnet).acknowledgeWarning("@aws-cdk/aws-ec2:noSubnetRouteTableId");
  }
  const subnets = (ids: readonly string[]) => ({
    subnets: vpc.privateSubnets.filter(({ subnetId }) => ids.includes(subnetId)),
  });
  const groups = (kind: string, ids: readonly string[]): ISecurityGroup[] =>
    ids.map((id, index) =>
      SecurityGroup.fromSecurityGroupId(scope, `${kind}Group${index}`, id, { mutable: false }),
    );
  return {
    vpc,
    taskSubnets: subnets(subnetIds),
    assignPublicIp,
    ...(securityGroupIds && { securityGroups: groups("Task", securityGroupIds) }),
    ...(functions && {
      functionsInVpc: true,
      functionSubnets: subnets(functions.subnetIds),
      ...(functions.securityGroupIds && {
        functionSecurityGroups: groups("Function", functions.securityGroupIds),
      }),
    }),
  };
}

type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Without the keys that are there and undefined. */
function given<T extends object>(value: T): Partial<Given<T>> {
  return Object.fromEntries(
    Object.entries(value).filter(([, entry]) => entry !== undefined),
  ) as Partial<Given<T>>;
}
