// ECS on Fargate, as far as a runner of jobs sees it: stateful, strict, with its limits and its events. A front
// (../front.ts) gives it HTTP; a back-end gives its tasks something to do.

import type {
  DescribeTasksCommandInput,
  ListTasksCommandInput,
  RegisterTaskDefinitionCommandInput,
  RunTaskCommandInput,
  StopTaskCommandInput,
} from "@aws-sdk/client-ecs";
import type { Clock } from "../clock.ts";
import type { BackEnd } from "./back-end.ts";
import { createBuckets } from "./bucket.ts";
import type { Bucket, Buckets } from "./bucket.ts";
import { createDefinitions } from "./definitions.ts";
import type { Definition, Definitions } from "./definitions.ts";
import { beginStop } from "./life.ts";
import type { LifeParts } from "./life.ts";
import { bucketOf, usualBuckets } from "./limits.ts";
import { badParameter, clientError, EcsRefusal } from "./refusal.ts";
import { createRuns } from "./run-task.ts";
import type { Launch, Shortage } from "./run-task.ts";
import { describedTask, eventDetail } from "./task.ts";
import type { FakeTask } from "./task.ts";

export interface EcsOptions {
  readonly clock: Clock;
  readonly backEnd: BackEnd;
  /** @default "burst" */
  readonly cluster?: string;
  /** @default "us-east-1" */
  readonly region?: string;
  /** @default "123456789012" */
  readonly account?: string;
  /** By capacity provider. @default 6 each, as in a new account */
  readonly vcpuQuota?: Readonly<Record<string, number>>;
  /** @default the account's usual ones; none: no throttles */
  readonly buckets?: Readonly<Record<string, Bucket>>;
  /** For how long a new task is unknown to DescribeTasks and ListTasks. @default 500 */
  readonly missingMs?: number;
  /** Hears every "ECS Task State Change". */
  readonly onEvent?: (event: TaskEvent) => void;
}

/** As EventBridge delivers it. */
export interface TaskEvent {
  readonly version: "0";
  readonly id: string;
  readonly "detail-type": "ECS Task State Change";
  readonly source: "aws.ecs";
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface Ecs {
  readonly clusterArn: string;
  readonly tasks: ReadonlyMap<string, FakeTask>;
  readonly definitions: Definitions;
  readonly throttles: Buckets["throttles"];
  /** When each task was created, in order. */
  readonly launchTimes: readonly number[];
  /** One call of its API. Throws EcsRefusal. */
  call(action: string, input: unknown): unknown;
  /** What stands in the way of the next launches. */
  setShortage(shortage: (launch: Launch) => Shortage | undefined): void;
  /** Spot takes the task back. */
  interrupt(taskArn: string): void;
  /** The platform ends it: maintenance, a broken host, codes that nobody knows yet. */
  stopAs(taskArn: string, stopCode: string | undefined, reason: string): void;
  close(): Promise<void>;
}

const keptMs = 60 * 60_000;

export function createEcs(options: EcsOptions): Ecs {
  const { clock, backEnd, cluster = "burst", region = "us-east-1" } = options;
  const account = options.account ?? "123456789012";
  const arnPrefix = `arn:aws:ecs:${region}:${account}`;
  const clusterArn = `${arnPrefix}:cluster/${cluster}`;
  const { now } = clock;
  const tasks = new Map<string, FakeTask>();
  const buckets = createBuckets(options.buckets ?? usualBuckets, now);
  const definitions = createDefinitions(arnPrefix, now);
  let events = 0;
  const life: LifeParts = {
    backEnd,
    now,
    changed(task) {
      options.onEvent?.({
        version: "0",
        id: `00000000-0000-4000-8000-${String(++events).padStart(12, "0")}`,
        "detail-type": "ECS Task State Change",
        source: "aws.ecs",
        account,
        time: new Date(now()).toISOString(),
        region,
        resources: [task.arn],
        detail: eventDetail(task),
      });
    },
  };
  const runs = createRuns({
    life,
    definitions,
    buckets,
    tasks,
    clock,
    arnPrefix,
    cluster,
    clusterArn,
    vcpuQuota: options.vcpuQuota ?? { FARGATE: 6, FARGATE_SPOT: 6 },
  });

  const missingMs = options.missingMs ?? 500;
  const visible = (task: FakeTask) =>
    now() - task.createdAt >= missingMs &&
    (task.stoppedAt === undefined || now() - task.stoppedAt < keptMs);
  const find = (name: string | undefined) => {
    const arn = name?.startsWith("arn:") ? name : `${arnPrefix}:task/${cluster}/${name}`;
    return tasks.get(arn);
  };
  const known = (arn: string) => {
    const task = tasks.get(arn);
    if (task === undefined) throw new RangeError(`there is no task ${arn}`);
    return task;
  };

  const calls: Readonly<Record<string, (input: never) => unknown>> = {
    RegisterTaskDefinition: (input: RegisterTaskDefinitionCommandInput) => ({
      taskDefinition: definitionView(definitions.register(input), now),
      tags: input.tags ?? [],
    }),
    DeregisterTaskDefinition: (input: { taskDefinition: string }) => ({
      taskDefinition: definitionView(definitions.deregister(input.taskDefinition), now),
    }),
    DeleteTaskDefinitions: (input: { taskDefinitions: readonly string[] }) => {
      if (input.taskDefinitions.length > 10) throw badParameter("At most 10 at a time.");
      return {
        taskDefinitions: input.taskDefinitions.map((name) =>
          definitionView(definitions.remove(name), now),
        ),
        failures: [],
      };
    },
    DescribeTaskDefinition: (input: { taskDefinition: string }) => ({
      taskDefinition: definitionView(definitions.describe(input.taskDefinition), now),
    }),
    ListTaskDefinitions: (input: Paged & { familyPrefix?: string; status?: string }) => {
      const arns = definitions.list(input).map((found) => found.taskDefinitionArn);
      return page("taskDefinitionArns", arns, input);
    },
    RunTask: (input: RunTaskCommandInput) => runs.run(input),
    StopTask(input: StopTaskCommandInput) {
      checkCluster(input.cluster);
      const task = find(input.task);
      if (task === undefined || (task.stoppedAt !== undefined && !visible(task))) {
        throw badParameter("The referenced task was not found.");
      }
      beginStop(life, task, "UserInitiated", input.reason ?? "Task stopped by user");
      return { task: describedTask(task, false) };
    },
    DescribeTasks(input: DescribeTasksCommandInput) {
      checkCluster(input.cluster);
      const names = input.tasks ?? [];
      if (names.length === 0) throw badParameter("Tasks cannot be empty.");
      if (names.length > 100) throw badParameter("At most 100 tasks can be described at once.");
      const withTags = input.include?.includes("TAGS") ?? false;
      const found = names.map((name) => ({ name, task: find(name) }));
      return {
        tasks: found.flatMap(({ task }) =>
          task !== undefined && visible(task) ? [describedTask(task, withTags)] : [],
        ),
        failures: found.flatMap(({ name, task }) =>
          task !== undefined && visible(task) ? [] : [{ arn: name, reason: "MISSING" }],
        ),
      };
    },
    ListTasks(input: ListTasksCommandInput & Paged) {
      checkCluster(input.cluster);
      if (input.startedBy !== undefined && (input.family ?? input.serviceName) !== undefined) {
        throw badParameter("startedBy must be the only filter.");
      }
      const desired = input.desiredStatus ?? "RUNNING";
      const arns = [...tasks.values()]
        .filter((task) => visible(task) && task.desiredStatus === desired)
        .filter(
          ({ request }) => input.startedBy === undefined || request.startedBy === input.startedBy,
        )
        .filter(({ definition }) => (input.family ?? definition.family) === definition.family)
        .map(({ arn }) => arn);
      return page("taskArns", arns, input);
    },
    TagResource: () => ({}),
  };
  const checkCluster = (name: string | undefined) => {
    if (name === cluster || name === clusterArn) return;
    throw new EcsRefusal("ClusterNotFoundException", "Cluster not found.");
  };
  return {
    clusterArn,
    tasks,
    definitions,
    throttles: buckets.throttles,
    launchTimes: runs.launchTimes,
    call(action, input) {
      const answer = calls[action];
      if (answer === undefined) {
        throw clientError(`this fake of ECS does not know ${action}`);
      }
      const bucket = bucketOf[action];
      if (bucket !== undefined) buckets.take(bucket);
      // What the SDK's own client has serialized; a wrong shape is found by the checks.
      return answer(input as never);
    },
    setShortage: runs.setShortage,
    interrupt: (arn) =>
      beginStop(life, known(arn), "SpotInterruption", "Your Spot Task was interrupted."),
    stopAs: (arn, stopCode, reason) => beginStop(life, known(arn), stopCode, reason),
    close: () => backEnd.close(),
  };
}

interface Paged {
  readonly nextToken?: string;
  readonly maxResults?: number;
}

function page(name: string, all: readonly string[], { nextToken, maxResults }: Paged) {
  const from = Number(nextToken ?? "0");
  const size = Math.min(maxResults ?? 100, 100);
  const rest = from + size < all.length ? { nextToken: String(from + size) } : {};
  return { [name]: all.slice(from, from + size), ...rest };
}

function definitionView({ inactiveSince, ...definition }: Definition, now: () => number) {
  return {
    ...definition,
    compatibilities: ["EC2", "FARGATE"],
    registeredAt: now() / 1000,
    ...(inactiveSince === undefined ? {} : { deregisteredAt: inactiveSince / 1000 }),
  };
}
