// Docs/unproven.md, "Starting tasks".

import { createHash } from "node:crypto";
import { DescribeTasksCommand, RunTaskCommand } from "@aws-sdk/client-ecs";
import type { RunTaskCommandInput } from "@aws-sdk/client-ecs";
import { safeTags } from "../../src/core/safe-text.ts";
import { judge, unclear } from "./belief.ts";
import type { Belief } from "./belief.ts";
import { probeSize, probeTags } from "./probe-spec.ts";
import { quotaWords } from "./quota-words.ts";
import { startTimes } from "./start-times.ts";

export const startBeliefs: readonly Belief[] = [
  {
    name: "unknown-family",
    find: async (world) => {
      const { request } = await world.probe("small");
      const hash = createHash("sha256").update(`${world.runName} unknown`).digest("hex");
      const taskDefinition = `${world.environment.BURST_NAME_PREFIX}-${hash.slice(0, 32)}`;
      const reply = await world.tasks.run({ ...request, taskDefinition, clientToken: hash });
      return judge(reply.kind === "unknown-definition", JSON.stringify(reply));
    },
  },
  {
    name: "run-after-register",
    find: async ({ probe }) => {
      const { refusal } = await probe("small");
      return judge(refusal === "", refusal || "started at the first call after its registration");
    },
  },
  {
    name: "size-override",
    find: async ({ probe }) => {
      const { raw } = await (await probe("small")).end();
      const wanted = `${probeSize.cpuUnits}/${probeSize.memoryMiB}`;
      const got = `${raw.cpu}/${raw.memory}`;
      return judge(got === wanted, `asked for ${wanted} over 256/512, got ${got}`);
    },
  },
  {
    name: "disk-override",
    find: async ({ probe }) => {
      const { raw } = await (await probe("meeting")).end();
      const got = raw.ephemeralStorage?.sizeInGiB;
      return judge(got === 25, `asked for 25 GB, got ${got ?? "nothing"}`);
    },
  },
  {
    name: "reservation-sums",
    find: async ({ probe }) => {
      const { refusal } = await probe("meeting");
      return judge(
        refusal === "",
        refusal || "limits of 900 and 900 MiB in a task of 1024 started",
      );
    },
  },
  {
    name: "same-token-same-task",
    find: async ({ probe, tasks }) => {
      const { request, taskArn, end } = await probe("small");
      const living = await tasks.run(request);
      await end();
      const stopped = await tasks.run(request);
      const same = (reply: typeof living) =>
        reply.kind === "launched" && reply.taskArn === taskArn ? "the same task" : reply.kind;
      return judge(
        same(living) === "the same task" && same(stopped) === "the same task",
        `while it ran: ${same(living)}; when it had stopped: ${same(stopped)}`,
      );
    },
  },
  {
    name: "same-token-conflict",
    find: async ({ probe, ecs, tasks, undo }) => {
      const { request, taskArn, refusal } = await probe("small");
      if (taskArn === undefined) return unclear(refusal);
      const other = { ...request, overrides: { ...request.overrides, memory: "2048" } };
      try {
        // The client does not change it.
        const run = await ecs.send(new RunTaskCommand(other as unknown as RunTaskCommandInput));
        const started = run.tasks?.[0]?.taskArn;
        if (started !== undefined) {
          undo.add(`task ${started}`, () => tasks.stop(started, "The proof is over"));
        }
        return judge(false, `no error, and ${started === taskArn ? "the same" : "another"} task`);
      } catch (cause) {
        const name = cause instanceof Error ? cause.name : "unknown";
        const ids = cause instanceof Error && "resourceIds" in cause ? cause.resourceIds : [];
        const named = Array.isArray(ids) && ids[0] === taskArn;
        return judge(
          name === "ConflictException" && named,
          `${name}, ${named ? "naming the task" : `resourceIds ${JSON.stringify(ids)}`}`,
        );
      }
    },
  },
  {
    name: "spot-strategy",
    find: async ({ probe }) => {
      const spot = await probe("spot");
      if (spot.taskArn === undefined) {
        return judge(/^(no-capacity|quota)/.test(spot.refusal), spot.refusal);
      }
      const { task } = await spot.end();
      return judge(task.capacityProvider === "FARGATE_SPOT", `ran on ${task.capacityProvider}`);
    },
  },
  { name: "quota-words", find: quotaWords },
  {
    name: "tag-characters",
    find: async ({ probe, ecs, environment }) => {
      const { taskArn, refusal } = await probe("meeting");
      if (taskArn === undefined) return judge(false, refusal);
      const { tasks = [] } = await ecs.send(
        new DescribeTasksCommand({
          cluster: environment.BURST_CLUSTER,
          tasks: [taskArn],
          include: ["TAGS"],
        }),
      );
      const got = new Map(tasks[0]?.tags?.map(({ key, value }) => [key, value]));
      const lost = safeTags(probeTags).filter(({ key, value }) => got.get(key) !== value);
      return judge(
        lost.length === 0,
        lost.length === 0 ? "as they were sent" : `not as sent: ${JSON.stringify(lost)}`,
      );
    },
  },
  {
    name: "seen-within-minutes",
    find: async ({ probe }) => {
      const { seenAfterMilliseconds, taskArn, refusal } = await probe("small");
      if (taskArn === undefined) return unclear(refusal);
      const seconds = Math.round(seenAfterMilliseconds / 1000);
      return judge(seconds < 300, `described ${seconds} s after the start`);
    },
  },
  {
    name: "list-stopped",
    find: async ({ probe, tasks }) => {
      const { startedBy, taskArn, end } = await probe("small");
      await end();
      const found = taskArn !== undefined && (await tasks.startedBy(startedBy)).includes(taskArn);
      return judge(found, `${startedBy}: ${found ? "found" : "not found"}`);
    },
  },
  {
    name: "env-file-override",
    find: async ({ probe }) => {
      const said = await (await probe("meeting")).said();
      const [own, jobs] = [said.get("environment"), said.get("job.environment")];
      return judge(
        own === "from a file" && jobs === "",
        `agent: ${own ?? "nothing"}; job: ${jobs || "nothing"}`,
      );
    },
  },
  {
    name: "pull-login",
    find: async ({ probe }) => {
      const { task } = await (await probe("wrong-login")).end();
      const text = [task.stoppedReason, ...task.containers.map(({ reason }) => reason)].join("; ");
      if (/ResourceInitializationError/.test(text)) return judge(false, text);
      const refused = /unauthorized|denied|incorrect|authenticat|40[13]/i.test(text);
      return refused ? judge(true, text) : unclear(`a wrong login was not refused: ${text}`);
    },
  },
  {
    name: "agent-image",
    find: async ({ probe }) => {
      const lines = await (await probe("agent")).lines();
      const has = (word: RegExp) => lines.some((line) => word.test(line));
      return judge(
        has(/^git=git version/) &&
          has(/^lfs=git-lfs/) &&
          has(/what lies at the hand-off's address/),
        lines.join("; ") || "it said nothing",
      );
    },
  },
  { name: "start-times", find: startTimes },
];
