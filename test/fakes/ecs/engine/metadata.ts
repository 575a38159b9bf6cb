// The task metadata endpoint, version 4, as containers find it by ECS_CONTAINER_METADATA_URI_V4. Only containers
// whose image is there are in it, as on AWS.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { FakeTask } from "../task.ts";

export interface SeenContainer {
  readonly name: string;
  knownStatus: "NONE" | "PULLED" | "CREATED" | "RUNNING" | "STOPPED";
  dockerId: string;
  imageId: string;
  createdAt: number | undefined;
  startedAt: number | undefined;
  finishedAt: number | undefined;
}

export interface SeenTask {
  readonly task: FakeTask;
  readonly containers: readonly SeenContainer[];
}

export interface MetadataServer {
  url(runtimeId: string): string;
  close(): Promise<void>;
}

export async function startMetadata(
  address: string,
  find: (runtimeId: string) => SeenTask | undefined,
): Promise<MetadataServer> {
  const server = createServer((request, response) => {
    const [, runtimeId = "", rest = ""] = /^\/v4\/([^/]+)\/?(.*)$/.exec(request.url ?? "") ?? [];
    const seen = find(runtimeId);
    const index = seen?.task.containers.findIndex((container) => container.runtimeId === runtimeId);
    const answer =
      seen === undefined
        ? undefined
        : rest === "task"
          ? taskView(seen)
          : rest === ""
            ? containerView(seen, index ?? 0)
            : undefined;
    response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? { message: "no such path" }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, address, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: (runtimeId) => `http://${address}:${port}/v4/${runtimeId}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function taskView(seen: SeenTask): Record<string, unknown> {
  const { task, containers } = seen;
  return {
    Cluster: task.clusterArn,
    TaskARN: task.arn,
    Family: task.definition.family,
    Revision: String(task.definition.revision),
    DesiredStatus: task.desiredStatus,
    KnownStatus: task.lastStatus === "PENDING" ? "NONE" : task.lastStatus,
    Limits: { CPU: task.cpuUnits / 1024, Memory: task.memoryMiB },
    PullStartedAt: text(task.pullStartedAt),
    PullStoppedAt: text(task.pullStoppedAt),
    AvailabilityZone: "us-east-1a",
    LaunchType: "FARGATE",
    Containers: containers.flatMap(({ knownStatus }, index) =>
      knownStatus === "NONE" ? [] : [containerView(seen, index)],
    ),
    ClockDrift: {
      ClockErrorBound: 0.5,
      ReferenceTimestamp: text(Date.now()),
      ClockSynchronizationStatus: "SYNCHRONIZED",
    },
    EphemeralStorageMetrics: { Utilized: 261, Reserved: 20_496 },
  };
}

function containerView({ task, containers }: SeenTask, index: number): Record<string, unknown> {
  const container = task.containers[index];
  const seen = containers[index];
  const logs = task.definition.containerDefinitions?.[index]?.logConfiguration;
  return {
    DockerId: container?.runtimeId,
    Name: container?.name,
    DockerName: container?.name,
    Image: container?.image,
    ImageID: seen?.imageId,
    Labels: {
      "com.amazonaws.ecs.cluster": task.clusterArn,
      "com.amazonaws.ecs.container-name": container?.name,
      "com.amazonaws.ecs.task-arn": task.arn,
      "com.amazonaws.ecs.task-definition-family": task.definition.family,
      "com.amazonaws.ecs.task-definition-version": String(task.definition.revision),
    },
    DesiredStatus: task.desiredStatus,
    KnownStatus: seen?.knownStatus,
    ...(container?.exitCode === undefined ? {} : { ExitCode: container.exitCode }),
    Limits: { CPU: 2 },
    CreatedAt: text(seen?.createdAt),
    StartedAt: text(seen?.startedAt),
    FinishedAt: text(seen?.finishedAt),
    Type: "NORMAL",
    ...(logs === undefined ? {} : { LogDriver: logs.logDriver, LogOptions: logs.options }),
    ContainerARN: container?.arn,
    Networks: [{ NetworkMode: "awsvpc", IPv4Addresses: ["10.0.0.10"], AttachmentIndex: 0 }],
    Snapshotter: "overlayfs",
  };
}

function text(time: number | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString();
}
