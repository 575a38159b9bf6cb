// Docs/unproven.md, "The end of a task": read by the product's own table of stops, and heard by a queue.

import * as z from "zod";
import { taskOfEvent } from "../../src/aws/tasks.ts";
import { meaningOf } from "../../src/core/stops.ts";
import type { StopFacts } from "../../src/core/stops.ts";
import type { TaskState } from "../../src/core/task-state.ts";
import { judge, unclear } from "./belief.ts";
import type { Belief } from "./belief.ts";
import { probeSpecs } from "./probe-spec.ts";
import type { ProbeName } from "./probe-spec.ts";
import type { World } from "./world.ts";

export const stopBeliefs: readonly Belief[] = [
  { name: "failed-pull", find: ({ probe }) => reads(probe, "bad-pull", "image_pull_failure") },
  { name: "memory-kill", find: ({ probe }) => reads(probe, "out-of-memory", "script_failure") },
  {
    name: "stop-timeout",
    find: async ({ probe }) => {
      const said = await (await probe("stopped")).said();
      const seconds = Number(said.get("after") ?? Number.NaN);
      return judge(
        seconds >= 110,
        `alive for ${seconds} s after SIGTERM; the metadata's DesiredStatus was ${said.get("desired") ?? "not seen"}`,
      );
    },
  },
  {
    name: "spot-interruption",
    find: async ({ probe }) => {
      const { taskArn, end, refusal } = await probe("spot");
      if (taskArn === undefined) return unclear(refusal);
      const { task } = await end();
      return task.stopCode === "SpotInterruption"
        ? judge(true, `by chance: ${task.stoppedReason}`)
        : unclear("Spot was not taken back while we looked, and cannot be asked to be");
    },
  },
  {
    name: "stop-by-user",
    find: async ({ probe }) => {
      const { task } = await (await probe("stopped")).end();
      return judge(task.stopCode === "UserInitiated", `${task.stopCode}: ${task.stoppedReason}`);
    },
  },
  { name: "event-shape", find: eventShape },
];

async function reads(probe: World["probe"], name: ProbeName, reason: string) {
  const { task } = await (await probe(name)).end();
  const meaning = meaningOf({ task, facts: factsOf(name), started: false, result: undefined });
  const found = meaning.kind === "tell" ? (meaning.verdict.reason ?? "") : meaning.kind;
  return judge(found === reason, `${found}, from ${seenOf(task)}`);
}

function factsOf(name: ProbeName): StopFacts {
  const { job, jobMemoryMiB = 512, diskGiB = 20 } = probeSpecs[name];
  return {
    agent: "agent",
    job: "job",
    images: { agent: "agent", job: job.image },
    pulled: { job: job.image },
    memoryMiB: jobMemoryMiB,
    diskGiB,
    rerunOnLoss: false,
  };
}

function seenOf({ stopCode, stoppedReason, containers }: TaskState): string {
  const each = containers.map(
    ({ name, exitCode, reason }) => `${name} ${exitCode ?? "without exit code"} ${reason}`,
  );
  return [`${stopCode} (${stoppedReason})`, ...each].join("; ");
}

const messagesSchema = z
  .object({ Messages: z.array(z.object({ Body: z.string() })).optional() })
  .optional();
const eventSchema = z.object({ "detail-type": z.string(), detail: z.unknown() });

const patienceMilliseconds = 5 * 60_000;

async function eventShape({ probe, aws, stack, now }: World) {
  const stopped = await probe("small");
  const { task } = await stopped.end();
  const end = now() + patienceMilliseconds;
  while (now() < end) {
    const answer = messagesSchema.parse(
      await aws("sqs receive-message", {
        "queue-url": stack.queueUrl,
        "max-number-of-messages": "10",
        "wait-time-seconds": "20",
      }),
    );
    for (const { Body } of answer?.Messages ?? []) {
      const { detail } = eventSchema.parse(JSON.parse(Body));
      const heard = taskOfEvent(detail);
      if (heard.taskArn !== task.taskArn) continue;
      const different = differences(heard, task);
      return judge(
        different.length === 0,
        different.length === 0 ? "the same as DescribeTasks" : `different: ${different.join(", ")}`,
      );
    }
  }
  return unclear("no event of the task came within five minutes");
}

/** Moments may be cut to whole seconds, and containers come in any order. */
export function differences(event: TaskState, described: TaskState): readonly string[] {
  const plain = (task: TaskState) => ({
    startedBy: task.startedBy,
    lastStatus: task.lastStatus,
    stopCode: task.stopCode,
    stoppedReason: task.stoppedReason,
    containers: task.containers.toSorted((a, b) => a.name.localeCompare(b.name)),
  });
  const [one, other] = [plain(event), plain(described)];
  return (["startedBy", "lastStatus", "stopCode", "stoppedReason", "containers"] as const).filter(
    (field) => JSON.stringify(one[field]) !== JSON.stringify(other[field]),
  );
}
