// One task as ECS knows it, and how it looks from outside: in DescribeTasks, and in the detail of an event.

import type { ContainerOverride, RunTaskCommandInput, TaskOverride } from "@aws-sdk/client-ecs";
import type { Definition } from "./definitions.ts";

export interface FakeTask {
  readonly arn: string;
  readonly id: string;
  readonly clusterArn: string;
  readonly definition: Definition;
  readonly request: RunTaskCommandInput;
  readonly capacityProvider: string;
  readonly cpuUnits: number;
  readonly memoryMiB: number;
  readonly createdAt: number;
  lastStatus: string;
  desiredStatus: "RUNNING" | "STOPPED";
  stopCode: string | undefined;
  stoppedReason: string | undefined;
  pullStartedAt: number | undefined;
  pullStoppedAt: number | undefined;
  startedAt: number | undefined;
  stoppingAt: number | undefined;
  executionStoppedAt: number | undefined;
  stoppedAt: number | undefined;
  updatedAt: number;
  version: number;
  readonly containers: FakeContainer[];
}

export interface FakeContainer {
  readonly name: string;
  readonly essential: boolean;
  readonly image: string;
  readonly arn: string;
  readonly runtimeId: string;
  lastStatus: "PENDING" | "RUNNING" | "STOPPED";
  exitCode: number | undefined;
  reason: string | undefined;
  imageDigest: string | undefined;
}

export function overrideOf(task: FakeTask, container: string): ContainerOverride {
  const all: TaskOverride = task.request.overrides ?? {};
  return all.containerOverrides?.find(({ name }) => name === container) ?? {};
}

/** As an event's detail has it: times as texts, no tags. */
export function eventDetail(task: FakeTask): Record<string, unknown> {
  return withoutUndefined({
    ...view(task, (time) => (time === undefined ? undefined : new Date(time).toISOString())),
    eniPrivateIp: undefined,
  });
}

/** As the JSON protocol has it: times in seconds. */
export function describedTask(task: FakeTask, withTags: boolean): Record<string, unknown> {
  return withoutUndefined({
    ...view(task, (time) => (time === undefined ? undefined : time / 1000)),
    healthStatus: "UNKNOWN",
    enableExecuteCommand: false,
    tags: withTags ? (task.request.tags ?? []) : [],
  });
}

function view(
  task: FakeTask,
  time: (milliseconds: number | undefined) => string | number | undefined,
): Record<string, unknown> {
  const subnet = task.request.networkConfiguration?.awsvpcConfiguration?.subnets?.[0] ?? "";
  return {
    attachments: [
      {
        id: `${task.id.slice(0, 8)}-eni`,
        type: "ElasticNetworkInterface",
        status: task.lastStatus === "STOPPED" ? "DELETED" : "ATTACHED",
        details: [{ name: "subnetId", value: subnet }],
      },
    ],
    attributes: [
      {
        name: "ecs.cpu-architecture",
        value: task.definition.runtimePlatform?.cpuArchitecture === "ARM64" ? "arm64" : "x86_64",
      },
    ],
    availabilityZone: "us-east-1a",
    capacityProviderName: task.request.launchType === undefined ? task.capacityProvider : undefined,
    clusterArn: task.clusterArn,
    connectivity: task.startedAt === undefined ? undefined : "CONNECTED",
    connectivityAt: time(task.startedAt),
    containers: task.containers.map((container) =>
      withoutUndefined({
        containerArn: container.arn,
        taskArn: task.arn,
        name: container.name,
        image: container.image,
        imageDigest: container.imageDigest,
        runtimeId: container.lastStatus === "PENDING" ? undefined : container.runtimeId,
        lastStatus: container.lastStatus,
        exitCode: container.exitCode,
        reason: container.reason,
        networkInterfaces: [],
        cpu: "0",
      }),
    ),
    cpu: String(task.cpuUnits),
    memory: String(task.memoryMiB),
    createdAt: time(task.createdAt),
    desiredStatus: task.desiredStatus,
    ephemeralStorage: {
      sizeInGiB: task.request.overrides?.ephemeralStorage?.sizeInGiB ?? 20,
    },
    group: task.request.group ?? `family:${task.definition.family}`,
    lastStatus: task.lastStatus,
    launchType: "FARGATE",
    overrides: { containerOverrides: [], ...task.request.overrides },
    platformVersion: "1.4.0",
    platformFamily: "Linux",
    pullStartedAt: time(task.pullStartedAt),
    pullStoppedAt: time(task.pullStoppedAt),
    startedAt: time(task.startedAt),
    startedBy: task.request.startedBy,
    stopCode: task.stopCode,
    stoppedReason: task.stoppedReason,
    stoppingAt: time(task.stoppingAt),
    executionStoppedAt: time(task.executionStoppedAt),
    stoppedAt: time(task.stoppedAt),
    taskArn: task.arn,
    taskDefinitionArn: task.definition.taskDefinitionArn,
    updatedAt: time(task.updatedAt),
    version: task.version,
  };
}

function withoutUndefined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
