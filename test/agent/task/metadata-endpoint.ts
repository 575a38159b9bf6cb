// The metadata endpoint (version 4) of a task on Fargate, in the shape of AWS's documentation: what it says is the
// test's to change.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface EndpointContainer {
  readonly image: string;
  status: "NONE" | "PULLED" | "CREATED" | "RUNNING" | "STOPPED";
  exitCode?: number;
  startedAt?: string;
  usedBytes?: number;
}

export interface MetadataEndpoint {
  /** ECS_CONTAINER_METADATA_URI_V4. */
  readonly url: string;
  desiredStatus: "RUNNING" | "STOPPED";
  readonly containers: Record<string, EndpointContainer>;
  close(): void;
}

export const taskArn =
  "arn:aws:ecs:eu-west-1:111122223333:task/burst/9781c2480eddcdb9a93f63cb662a5d31";

/** `pulled`: when the pull began, and when it ended. */
export async function startMetadataEndpoint(
  containers: Record<string, EndpointContainer>,
  pulled: readonly [number, number],
): Promise<MetadataEndpoint> {
  const [pullStartedAt, pullStoppedAt] = pulled.map((at) => new Date(at).toISOString());
  const describe = (name: string) => {
    const { image, status, exitCode, startedAt } = containers[name] ?? { image: "", status: "" };
    return {
      DockerId: `${name}-2495160603`,
      Name: name,
      DockerName: name,
      Image: image,
      ImageID: "sha256:25f3695bedfb454a50f12d127839a68ad3caf91e451c1da073db34c542c4d2cb",
      Labels: { "com.amazonaws.ecs.task-arn": taskArn, "com.amazonaws.ecs.container-name": name },
      DesiredStatus: status === "STOPPED" ? "STOPPED" : "RUNNING",
      KnownStatus: status,
      ...(exitCode === undefined ? {} : { ExitCode: exitCode }),
      Limits: { CPU: 10, Memory: 1792 },
      CreatedAt: startedAt,
      StartedAt: startedAt,
      Type: "NORMAL",
      LogDriver: "awslogs",
      Networks: [{ NetworkMode: "awsvpc", IPv4Addresses: ["192.0.2.3"] }],
    };
  };
  const endpoint = { url: "", desiredStatus: "RUNNING" as "RUNNING" | "STOPPED", containers };
  const answers: Readonly<Record<string, () => unknown>> = {
    "/v4/agent": () => describe("agent"),
    "/v4/agent/task": () => ({
      Cluster: "arn:aws:ecs:eu-west-1:111122223333:cluster/burst",
      TaskARN: taskArn,
      Family: "burst-abc",
      Revision: "3",
      DesiredStatus: endpoint.desiredStatus,
      KnownStatus: "RUNNING",
      Limits: { CPU: 1, Memory: 2048 },
      PullStartedAt: pullStartedAt,
      PullStoppedAt: pullStoppedAt,
      AvailabilityZone: "eu-west-1a",
      LaunchType: "FARGATE",
      Containers: Object.keys(containers).map(describe),
    }),
    "/v4/agent/task/stats": () =>
      Object.fromEntries(
        Object.entries(containers).map(([name, { usedBytes }]) => [
          `${name}-2495160603`,
          usedBytes === undefined
            ? null
            : {
                memory_stats: {
                  usage: usedBytes + 1024,
                  stats: { total_inactive_file: 1024 },
                  limit: 2048 * 1024 * 1024,
                },
              },
        ]),
      ),
  };
  const server = createServer((request, response) => {
    const found = answers[request.url ?? ""];
    if (found === undefined) response.writeHead(404).end();
    else response.writeHead(200).end(JSON.stringify(found()));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  endpoint.url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/v4/agent`;
  return Object.assign(endpoint, {
    close() {
      server.closeAllConnections();
      server.close();
    },
  });
}
