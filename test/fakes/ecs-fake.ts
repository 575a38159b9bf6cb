// A fake ECS behind its address, with a client of the real SDK: for the fake's own tests, and for tests of what
// talks to ECS.

import { ECSClient } from "@aws-sdk/client-ecs";
import type { RegisterTaskDefinitionCommandInput, RunTaskCommandInput } from "@aws-sdk/client-ecs";
import { createClock } from "./clock.ts";
import type { Clock } from "./clock.ts";
import { createEcs } from "./ecs/ecs.ts";
import type { Ecs, EcsOptions, TaskEvent } from "./ecs/ecs.ts";
import { createSimulated } from "./ecs/simulated.ts";
import type { Simulated, SimulatedTask } from "./ecs/simulated.ts";
import { startFront } from "./front.ts";
import type { Front } from "./front.ts";

export interface SimulatedEcs {
  readonly ecs: Ecs;
  readonly clock: Clock;
  readonly front: Front;
  readonly backEnd: Simulated;
  readonly events: readonly TaskEvent[];
  readonly client: ECSClient;
  close(): Promise<void>;
}

export async function startSimulatedEcs(
  options: Partial<EcsOptions> & { readonly play?: (task: SimulatedTask) => void } = {},
): Promise<SimulatedEcs> {
  const { play, clock = createClock({ still: true, start: Date.UTC(2026, 10, 1) }) } = options;
  const backEnd = createSimulated(play);
  const events: TaskEvent[] = [];
  const ecs = createEcs({ clock, backEnd, onEvent: (event) => events.push(event), ...options });
  const front = await startFront({ ecs, now: clock.now });
  const client = new ECSClient({
    endpoint: front.url,
    region: "us-east-1",
    credentials: { accessKeyId: "TESTER", secretAccessKey: "nothing" },
    maxAttempts: 1,
  });
  return {
    ecs,
    clock,
    front,
    backEnd,
    events,
    client,
    async close() {
      client.destroy();
      clock.close();
      await ecs.close();
      await front.close();
    },
  };
}

/** A small definition that ECS takes. */
export function sampleDefinition(
  more: Partial<RegisterTaskDefinitionCommandInput> = {},
): RegisterTaskDefinitionCommandInput {
  return {
    family: "burst-sample",
    networkMode: "awsvpc",
    requiresCompatibilities: ["FARGATE"],
    cpu: "256",
    memory: "512",
    executionRoleArn: "arn:aws:iam::123456789012:role/execution",
    volumes: [{ name: "builds" }],
    containerDefinitions: [
      { name: "agent", image: "agent:1", essential: true, stopTimeout: 120 },
      { name: "job", image: "busybox:latest", essential: false, stopTimeout: 2 },
    ],
    ...more,
  };
}

/** A launch of it that ECS takes. */
export function sampleRun(more: Partial<RunTaskCommandInput> = {}): RunTaskCommandInput {
  return {
    cluster: "burst",
    taskDefinition: "burst-sample",
    clientToken: "token-1",
    startedBy: "team/1024/0123456789abcdef0123456789abcdef",
    count: 1,
    platformVersion: "1.4.0",
    capacityProviderStrategy: [{ capacityProvider: "FARGATE", weight: 1 }],
    networkConfiguration: {
      awsvpcConfiguration: { subnets: ["subnet-1"], securityGroups: ["sg-1"] },
    },
    overrides: { cpu: "1024", memory: "2048" },
    ...more,
  };
}
