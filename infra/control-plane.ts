// The four functions, and what calls them: two schedules, the cluster's events, and one another.

import { Duration, Stack, Validations } from "aws-cdk-lib";
import { Rule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Function } from "aws-cdk-lib/aws-lambda";
import type { RetentionDays } from "aws-cdk-lib/aws-logs";
import { Schedule, ScheduleExpression } from "aws-cdk-lib/aws-scheduler";
import { LambdaInvoke } from "aws-cdk-lib/aws-scheduler-targets";
import { Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { FunctionVariables } from "../src/core/function-environment.ts";
import { acknowledgeWide, grant } from "./grant.ts";
import { BurstFunction } from "./burst-function.ts";
import type { Bundles, FunctionName } from "./bundles.ts";
import type { Network } from "./network.ts";
import { permissionsOf } from "./permissions.ts";
import type { World } from "./permissions.ts";

export interface ControlPlaneProps extends World {
  readonly network: Network;
  readonly agentImages: string;
  readonly functions: Bundles["functions"];
  readonly logRetention: RetentionDays;
}

interface Shape {
  readonly description: string;
  readonly memoryMiB: number;
  readonly timeoutSeconds: number;
}

/** Memory is what it costs: the poller runs nearly always and mostly waits, the others hurry. */
const shapes: Readonly<Record<FunctionName, Shape>> = {
  poller: {
    description: "Asks GitLab for jobs, one of its instances at a time",
    memoryMiB: 192,
    timeoutSeconds: 15 * 60,
  },
  launcher: {
    description: "Starts the task of a claimed job",
    memoryMiB: 512,
    timeoutSeconds: 60,
  },
  reaper: {
    description: "Follows up on a task that has stopped",
    memoryMiB: 512,
    timeoutSeconds: 60,
  },
  sweeper: {
    description: "Finds what the others have missed, and removes what nobody needs",
    memoryMiB: 256,
    timeoutSeconds: 5 * 60,
  },
};

export class ControlPlane extends Construct {
  readonly functions: Readonly<Record<FunctionName, BurstFunction>>;
  /** Events that could not be worked off, each naming a claim or a task and nothing else. */
  readonly failures: Queue;

  constructor(scope: Construct, id: string, props: ControlPlaneProps) {
    super(scope, id);
    this.failures = this.makeQueue();
    const variables = this.variables(props);
    const make = (name: FunctionName, path: string) =>
      new BurstFunction(this, path, {
        ...shapes[name],
        functionName: functionName(props.namePrefix, name),
        code: props.functions[name],
        variables,
        permissions: permissionsOf(this, name, props),
        place: props.network.functions,
        logRetention: props.logRetention,
        encryptionKey: props.encryptionKey,
      });
    this.functions = {
      poller: make("poller", "Poller"),
      launcher: make("launcher", "Launcher"),
      reaper: make("reaper", "Reaper"),
      sweeper: make("sweeper", "Sweeper"),
    };
    this.callThem(props);
  }

  private callThem(props: ControlPlaneProps): void {
    const { poller, launcher, reaper, sweeper } = this.functions;
    // CDK's own would also let the function look at the queue.
    const onFailure = { bind: () => ({ destination: this.failures.queueArn }) };
    for (const { role } of [launcher, reaper]) {
      grant(role, [{ actions: ["sqs:SendMessage"], resources: [this.failures.queueArn] }]);
    }
    // A claim that is not launched in half an hour is the sweeper's, which has seen it long before.
    const tried = { retryAttempts: 2, maxEventAge: Duration.minutes(30), onFailure };
    launcher.function.configureAsyncInvoke(tried);
    reaper.function.configureAsyncInvoke(tried);
    // The next tick is as good as this one again.
    const untried = { retryAttempts: 0, maxEventAge: Duration.minutes(1) };
    poller.function.configureAsyncInvoke(untried);
    sweeper.function.configureAsyncInvoke(untried);
    const stopped = new Rule(this, "TaskStopped", {
      description: "A task of this cluster has stopped",
      eventPattern: {
        source: ["aws.ecs"],
        detailType: ["ECS Task State Change"],
        detail: { clusterArn: [props.runtime.cluster.clusterArn], lastStatus: ["STOPPED"] },
      },
      targets: [
        new LambdaFunction(reaper.function, {
          retryAttempts: 20,
          maxEventAge: Duration.hours(1),
          deadLetterQueue: this.failures,
        }),
      ],
    });
    // Made last and removed first: the first tick may claim a job, which then needs all of this.
    const needed = [props.runtime, props.storage, props.network, launcher, reaper, stopped];
    for (const schedule of [
      this.every(Duration.minutes(1), "Poll", poller.function),
      this.every(Duration.minutes(5), "Sweep", sweeper.function),
    ]) {
      schedule.node.addDependency(...needed);
    }
  }

  private every(period: Duration, id: string, target: Function): Schedule {
    const role = new Role(this, `${id}Role`, {
      description: `Lets the schedule call ${id.toLowerCase()}er`,
      assumedBy: new ServicePrincipal("scheduler.amazonaws.com", {
        conditions: { StringEquals: { "aws:SourceAccount": Stack.of(this).account } },
      }),
    });
    const schedule = new Schedule(this, id, {
      schedule: ScheduleExpression.rate(period),
      target: new LambdaInvoke(target, {
        role,
        retryAttempts: 0,
        maxEventAge: Duration.minutes(1),
      }),
    });
    acknowledgeWide(role, `${target.functionArn}:*`, "versions of one function, as CDK grants it");
    return schedule;
  }

  private makeQueue(): Queue {
    const queue = new Queue(this, "Failures", {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    Validations.of(queue).acknowledge({
      id: "AwsSolutions-SQS3",
      reason: "It is itself where goes what failed; a person reads it, called by an alarm.",
    });
    return queue;
  }

  private variables(props: ControlPlaneProps): FunctionVariables {
    const { network, runtime, storage } = props;
    return {
      BURST_ENVIRONMENT: props.environment,
      BURST_PARAMETERS: props.parameters,
      BURST_NAME_PREFIX: props.namePrefix,
      BURST_CLUSTER: runtime.cluster.clusterName,
      BURST_SUBNETS: network.taskSubnets.map(({ subnetId }) => subnetId).join(","),
      BURST_SECURITY_GROUPS: network.securityGroups
        .map(({ securityGroupId }) => securityGroupId)
        .join(","),
      BURST_ASSIGN_PUBLIC_IP: network.assignPublicIp ? "ENABLED" : "DISABLED",
      BURST_STATE_BUCKET: storage.state.bucketName,
      BURST_CACHE_BUCKET: storage.cache.bucketName,
      BURST_LOG_GROUP: runtime.logGroup.logGroupName,
      BURST_EXECUTION_ROLE: runtime.executionRole.roleArn,
      BURST_AGENT_IMAGES: props.agentImages,
      BURST_LAUNCHER: props.launcherName,
      BURST_KMS_KEY: props.encryptionKey?.keyArn ?? "",
    };
  }
}

/** Named by us: the launcher's environment holds the launcher's name. */
export const functionName = (namePrefix: string, name: FunctionName) => `${namePrefix}-${name}`;
