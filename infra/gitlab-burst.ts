// A GitLab runner with no server, as a construct for anybody's CDK app:
//
//   new GitLabBurst(stack, "Runner", { environment: "prod", alarmAddress: "ci@example.com" });
//
// Runners themselves are parameters in Parameter Store: nothing here has to change for a new one.

import { ArnFormat, Duration, Stack, Tags } from "aws-cdk-lib";
import type { Alarm } from "aws-cdk-lib/aws-cloudwatch";
import type { ISecurityGroup, IVpc } from "aws-cdk-lib/aws-ec2";
import type { Cluster } from "aws-cdk-lib/aws-ecs";
import { PermissionsBoundary, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IManagedPolicy, IRole } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import { RetentionDays } from "aws-cdk-lib/aws-logs";
import type { ILogGroup } from "aws-cdk-lib/aws-logs";
import type { Bucket } from "aws-cdk-lib/aws-s3";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import type { ITopic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";
import type { Architecture } from "../src/core/settings-task.ts";
import { AgentImages } from "./agent-image.ts";
import type { AgentImage } from "./agent-image.ts";
import { Alarms } from "./alarms.ts";
import { findBundles, ownDist } from "./bundles.ts";
import type { FunctionName } from "./bundles.ts";
import { ControlPlane, functionName } from "./control-plane.ts";
import { BurstDashboard } from "./dashboard.ts";
import { JobRuntime } from "./job-runtime.ts";
import { Network } from "./network.ts";
import type { NetworkProps } from "./network.ts";
import { contextKey, environmentRule } from "./settings.ts";
import { Storage } from "./storage.ts";

export type { AgentImage, Architecture, FunctionName, NetworkProps };

export interface GitLabBurstProps extends NetworkProps {
  /**
   * Name of the environment: its runners are the parameters below `/gitlab-burst/<environment>/`.
   * @default "default"
   */
  readonly environment?: string;
  /**
   * Begins the names of the cluster, the functions, task definitions, secrets and alarms.
   * @default gitlab-burst-<environment>
   */
  readonly namePrefix?: string;
  /**
   * Kinds of processors that jobs may ask for: there is an image of the agent for each.
   * @default ["x86_64"]
   */
  readonly architectures?: readonly Architecture[];
  /**
   * Address of the agent's image, or one for each architecture. Must be of this package's version.
   * @default built from the package's Dockerfile at deployment, which takes Docker
   */
  readonly agentImage?: AgentImage;
  /**
   * How long logs are kept, of jobs and of functions.
   * @default RetentionDays.ONE_MONTH
   */
  readonly logRetention?: RetentionDays;
  /**
   * How long after its last upload a cache is kept.
   * @default Duration.days(30)
   */
  readonly cacheExpiry?: Duration;
  /**
   * Key for buckets, logs and secrets. One of another stack or account must itself let
   * `logs.<region>.amazonaws.com` use it.
   * @default keys of the services' own
   */
  readonly encryptionKey?: IKey;
  /**
   * Boundary for all roles of the construct.
   * @default none
   */
  readonly permissionsBoundary?: IManagedPolicy;
  /**
   * E-mail address that alarms are sent to; it gets a letter asking for consent.
   * @default alarms only change their state
   */
  readonly alarmAddress?: string;
  /**
   * Whether there is a dashboard: the first three of an account are free.
   * @default true
   */
  readonly dashboard?: boolean;
  /**
   * Tags for everything of the construct, besides `gitlab-burst`, the environment's name.
   * @default none
   */
  readonly tags?: Readonly<Record<string, string>>;
  /**
   * Folder that `npm run build` of this package made: for those who build it themselves.
   * @default the package's own
   */
  readonly builtFolder?: string;
}

export class GitLabBurst extends Construct {
  /** Where the jobs' tasks run. */
  readonly cluster: Cluster;
  readonly vpc: IVpc;
  /** Of the tasks. */
  readonly securityGroups: readonly ISecurityGroup[];
  readonly stateBucket: Bucket;
  readonly cacheBucket: Bucket;
  readonly jobLogGroup: ILogGroup;
  /** ECS's own, for starting tasks: grant it what jobs' images are pulled with, such as repositories elsewhere. */
  readonly executionRole: IRole;
  readonly functions: Readonly<Record<FunctionName, IFunction>>;
  /** Events that could not be worked off. */
  readonly failures: IQueue;
  readonly alarms: readonly Alarm[];
  /** undefined without an alarm address. */
  readonly alarmTopic: ITopic | undefined;
  /** Roles below this path can be given to jobs by the runners' settings. */
  readonly jobRolePath: string;

  constructor(scope: Construct, id: string, props: GitLabBurstProps = {}) {
    super(scope, id);
    const { environment = "default" } = props;
    environmentRule.check(environment);
    const namePrefix = props.namePrefix ?? `${contextKey}-${environment}`;
    const logRetention = props.logRetention ?? RetentionDays.ONE_MONTH;
    const bundles = findBundles(props.builtFolder ?? ownDist());
    const { encryptionKey } = props;
    if (encryptionKey !== undefined) letLogsUse(encryptionKey, this);
    if (props.permissionsBoundary !== undefined) {
      PermissionsBoundary.of(this).apply(props.permissionsBoundary);
    }

    const network = new Network(this, "Network", props);
    const storage = new Storage(this, "Storage", {
      encryptionKey,
      cacheExpiry: props.cacheExpiry ?? Duration.days(30),
    });
    const runtime = new JobRuntime(this, "Jobs", {
      namePrefix,
      network,
      state: storage.state,
      encryptionKey,
      logRetention,
    });
    const agent = new AgentImages(
      this,
      "Agent",
      props.architectures ?? ["x86_64"],
      props.agentImage ?? (() => bundles.agent),
    );
    const controlPlane = new ControlPlane(this, "Functions", {
      environment,
      namePrefix,
      parameters: `/${contextKey}/${environment}`,
      storage,
      runtime,
      network,
      launcherName: functionName(namePrefix, "launcher"),
      agentImages: agent.json,
      functions: bundles.functions,
      logRetention,
      encryptionKey,
    });
    const alarms = new Alarms(this, "Alarms", {
      environment,
      namePrefix,
      controlPlane,
      address: props.alarmAddress,
    });
    if (props.dashboard ?? true) {
      new BurstDashboard(this, "Overview", { environment, namePrefix, controlPlane });
    }
    for (const [key, value] of Object.entries(props.tags ?? {})) Tags.of(this).add(key, value);
    // Last, so that no other tag of this name stays: it says whose a bucket or log group is.
    Tags.of(this).add(contextKey, environment);

    this.cluster = runtime.cluster;
    this.vpc = network.vpc;
    this.securityGroups = network.securityGroups;
    this.stateBucket = storage.state;
    this.cacheBucket = storage.cache;
    this.jobLogGroup = runtime.logGroup;
    this.executionRole = runtime.executionRole;
    this.functions = {
      poller: controlPlane.functions.poller.function,
      launcher: controlPlane.functions.launcher.function,
      reaper: controlPlane.functions.reaper.function,
      sweeper: controlPlane.functions.sweeper.function,
    };
    this.failures = controlPlane.failures;
    this.alarms = alarms.all;
    this.alarmTopic = alarms.topic;
    this.jobRolePath = `/${contextKey}/${environment}/`;
  }
}

/** Without it a log group with a key cannot be made. Does nothing for a key that is only referred to. */
function letLogsUse(key: IKey, scope: Construct): void {
  const stack = Stack.of(scope);
  const groups = stack.formatArn({
    service: "logs",
    resource: "log-group",
    resourceName: "*",
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  key.grantEncryptDecrypt(
    new ServicePrincipal(`logs.${stack.region}.${stack.urlSuffix}`, {
      conditions: { ArnLike: { "kms:EncryptionContext:aws:logs:arn": groups } },
    }),
  );
}
