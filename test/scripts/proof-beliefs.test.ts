// The proof's assertions against a strict stand-in for ECS whose tasks only pretend: what they send is taken, what they
// look for is found there, and nothing is left behind.

import { afterAll, beforeAll, expect, test } from "vitest";
import { createTasks } from "../../src/aws/tasks.ts";
import { beliefs } from "../../scripts/proof-aws/beliefs.ts";
import type { Finding } from "../../scripts/proof-aws/belief.ts";
import { probeSpecs } from "../../scripts/proof-aws/probe-spec.ts";
import type { ProbeName } from "../../scripts/proof-aws/probe-spec.ts";
import { startProbe } from "../../scripts/proof-aws/probe.ts";
import type { Probe } from "../../scripts/proof-aws/probe.ts";
import { createUndo } from "../../scripts/proof-aws/undo.ts";
import type { ProbeWorld, World } from "../../scripts/proof-aws/world.ts";
import type { SimulatedTask } from "../fakes/ecs/simulated.ts";
import { startSimulatedEcs } from "../fakes/ecs-fake.ts";
import type { SimulatedEcs } from "../fakes/ecs-fake.ts";
import { memoryObjects } from "../flow/memory-objects.ts";
import type { MemoryObjects } from "../flow/memory-objects.ts";

let fake: SimulatedEcs;
let objects: MemoryObjects;
let world: World;
const kept = { secrets: [] as string[], deleted: [] as string[] };

function play(simulated: SimulatedTask) {
  const name = simulated.task.request.startedBy?.split("/")[1];
  switch (name ?? "") {
    case "bad-pull":
      simulated.failToStart("CannotPullContainerError: no-such-tag: not found", "job");
      return;
    case "wrong-login":
      simulated.failToStart("CannotPullContainerError: unauthorized: incorrect username", "job");
      return;
    case "stopped":
      simulated.start();
      return;
    case "out-of-memory":
      simulated.start();
      simulated.exit("job", 137, "OutOfMemoryError: Container killed due to memory usage");
      simulated.exit("agent", 71);
      return;
    default:
      simulated.start();
      simulated.exit("agent", 0);
  }
}

const said: Readonly<Record<string, readonly string[]>> = {
  meeting: ["environment=from a file", "job.environment="],
  stopped: ["desired=STOPPED", "after=1", "after=119"],
  agent: [
    "node=v24.1.0",
    "git=git version 2.52.0",
    "lfs=git-lfs/3.7.0",
    "agent: what lies at the hand-off's address is none",
  ],
};

beforeAll(async () => {
  // Every probe at once: more than a new account's quota holds, and less than the task that is to be refused.
  fake = await startSimulatedEcs({
    play,
    cluster: "c",
    vcpuQuota: { FARGATE: 12, FARGATE_SPOT: 40 },
  });
  const { clock, client } = fake;
  objects = memoryObjects(clock.now);
  const base: ProbeWorld = {
    runName: "proof-01234567",
    region: "us-east-1",
    account: "123456789012",
    environment: {
      BURST_ENVIRONMENT: "default",
      BURST_PARAMETERS: "/gitlab-burst/default",
      BURST_NAME_PREFIX: "gitlab-burst-default",
      BURST_CLUSTER: "c",
      BURST_SUBNETS: ["subnet-1"],
      BURST_SECURITY_GROUPS: ["sg-1"],
      BURST_ASSIGN_PUBLIC_IP: "ENABLED",
      BURST_STATE_BUCKET: "state",
      BURST_CACHE_BUCKET: "cache",
      BURST_LOG_GROUP: "jobs",
      BURST_EXECUTION_ROLE: "arn:aws:iam::123456789012:role/execution",
      BURST_AGENT_IMAGES: { x86_64: "agent:1" },
      BURST_LAUNCHER: "launcher",
      BURST_KMS_KEY: "",
    },
    ecs: client,
    tasks: createTasks(client, "c"),
    objects,
    secrets: {
      ensure: async (name) => {
        kept.secrets.push(name);
        return `arn:aws:secretsmanager:us-east-1:123456789012:secret:${name}`;
      },
      remove: async (name) => void kept.secrets.splice(kept.secrets.indexOf(name), 1),
      list: async () => [],
    },
    logs: {
      streams: async () => [],
      read: async (stream, from) => {
        const task = [...fake.ecs.tasks.values()].find(({ id }) => stream.endsWith(`/${id}`));
        const name = task?.request.startedBy?.split("/")[1] ?? "";
        const lines = from === undefined && stream.includes("/agent/") ? (said[name] ?? []) : [];
        return { lines: lines.map((text) => ({ at: 0, text })), next: "end" };
      },
    },
    aws: async (command, options) => {
      if (command === "logs delete-log-stream") {
        kept.deleted.push(String(options?.["log-stream-name"]));
        return undefined;
      }
      if (command === "service-quotas get-service-quota") return { Quota: { Value: 6 } };
      if (command !== "sqs receive-message") throw new Error(command);
      const stopped = fake.events.filter(({ detail }) => detail["lastStatus"] === "STOPPED");
      return { Messages: stopped.map((event) => ({ Body: JSON.stringify(event) })) };
    },
    asLauncher: async () => ({ error: "NotHere" }),
    stack: { name: "proof", queueUrl: "queue", functionName: "function" },
    undo: createUndo(),
    now: clock.now,
    sleep: (milliseconds) => clock.advance(milliseconds),
  };
  const probes = new Map<ProbeName, Promise<Probe>>();
  world = {
    ...base,
    probe: (name) => {
      const probe = probes.get(name) ?? startProbe(base, name, probeSpecs[name]);
      probes.set(name, probe);
      return probe;
    },
  };
});

afterAll(async () => {
  await fake.close();
});

test.each([
  "unknown-family",
  "run-after-register",
  "size-override",
  "disk-override",
  "reservation-sums",
  "same-token-same-task",
  "same-token-conflict",
  "spot-strategy",
  "quota-words",
  "tag-characters",
  "seen-within-minutes",
  "list-stopped",
  "env-file-override",
  "pull-login",
  "agent-image",
  "log-stream",
  "failed-pull",
  "memory-kill",
  "stop-timeout",
  "stop-by-user",
  "event-shape",
  "compare-and-swap",
  "role-assumed",
])("%s is found to hold where it does", async (name) => {
  const finding: Finding | undefined = await beliefs
    .find((belief) => belief.name === name)
    ?.find(world);
  expect(finding).toEqual({ kind: "held", seen: expect.any(String) });
});

test("nothing of it is left", async () => {
  expect(kept.secrets).not.toEqual([]);
  expect(await world.undo.all()).toEqual([]);
  expect([...objects.contents.keys()]).toEqual([]);
  expect(kept.secrets).toEqual([]);
  expect(kept.deleted.length).toBe(new Set(kept.deleted).size);
  for (const { lastStatus } of fake.ecs.tasks.values()) expect(lastStatus).toBe("STOPPED");
});
