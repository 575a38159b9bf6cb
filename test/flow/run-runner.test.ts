import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { agentExit } from "../../src/core/hand-off.ts";
import { runRunner } from "../../src/flow/run-runner.ts";
import type { RunnerDeps, RunnerOptions } from "../../src/flow/run-runner.ts";
import { claiming, exited, goodAgent } from "./claiming.ts";
import { patient } from "../harness/patient.ts";

const requests = ({ gitlab }: Awaited<ReturnType<typeof claiming>>) =>
  gitlab.requests().filter(({ path }) => path === "/api/v4/jobs/request");

test("it ends after so many jobs as it was told, and takes no more", async () => {
  const scene = await claiming();
  for (let count = 0; count < 3; count++) await scene.gitlab.enqueue();
  await runRunner(scene.deps, { ...scene.options, maxJobs: 2 });
  expect(scene.gitlab.jobs().map(({ status }) => status)).toEqual([
    "success",
    "success",
    "pending",
  ]);
});

test("it asks for jobs only while there is room, and fills the room at once", async () => {
  const ends: (() => void)[] = [];
  const scene = await claiming({
    agent: async (...given) => {
      await new Promise<void>((resolve) => {
        ends.push(resolve);
      });
      return await goodAgent(...given);
    },
  });
  for (let count = 0; count < 3; count++) await scene.gitlab.enqueue();
  const ended = runRunner(scene.deps, { ...scene.options, concurrent: 2, maxJobs: 3 });
  await expect.poll(() => ends.length, patient).toBe(2);
  await new Promise((resolve) => {
    setTimeout(resolve, 50);
  });
  expect(requests(scene)).toHaveLength(2);
  ends[0]?.();
  await expect.poll(() => ends.length, patient).toBe(3);
  for (const end of ends) end();
  await ended;
  expect(scene.gitlab.jobs().map(({ status }) => status)).toEqual(Array(3).fill("success"));
});

test("each job has the lowest number that is free, also of what an earlier run left running", async () => {
  const ends: (() => void)[] = [];
  const scene = await claiming({
    agent: async (...given) => {
      await new Promise<void>((resolve) => {
        ends.push(resolve);
      });
      return await goodAgent(...given);
    },
  });
  await scene.deps.claims.record({ jobId: 99, raw: "{}", slot: 1 });
  for (let count = 0; count < 3; count++) await scene.gitlab.enqueue();
  const ended = runRunner(scene.deps, { ...scene.options, concurrent: 2, maxJobs: 3 });
  await expect.poll(() => ends.length, patient).toBe(2);
  ends[0]?.();
  await expect.poll(() => ends.length, patient).toBe(3);
  for (const end of ends) end();
  await ended;
  // Which of the first two gets as far first is chance.
  const [first, second, third] = scene.handOffs.map(({ concurrentId }) => concurrentId);
  expect([first, second].toSorted()).toEqual([0, 2]);
  expect(third).toBe(first);
});

test("a stop ends the asking, and running jobs are waited for", async () => {
  let end: (() => void) | undefined;
  const scene = await claiming({
    agent: async (...given) => {
      await new Promise<void>((resolve) => {
        end = resolve;
      });
      return await goodAgent(...given);
    },
  });
  await scene.gitlab.enqueue();
  await scene.gitlab.enqueue();
  const ended = runRunner(scene.deps, scene.options);
  await expect.poll(() => end !== undefined, patient).toBe(true);
  scene.stop();
  end?.();
  await ended;
  expect(scene.gitlab.jobs().map(({ status }) => status)).toEqual(["success", "pending"]);
});

test("a stop cuts off a long poll only when it has been silent for 20 s", async () => {
  const scene = await claiming({ standIn: { longPollSeconds: 30 } });
  let wake: (() => void) | undefined;
  const sleep: RunnerDeps["sleep"] = (milliseconds, signal) =>
    new Promise((resolve) => {
      signal?.addEventListener("abort", () => resolve());
      if (milliseconds === 20_000) wake = resolve;
      else resolve();
    });
  let over = false;
  const ended = runRunner({ ...scene.deps, sleep }, scene.options).then(() => {
    over = true;
  });
  await expect.poll(() => requests(scene).length, patient).toBe(2);
  scene.stop();
  await new Promise((resolve) => {
    setTimeout(resolve, 50);
  });
  expect(over).toBe(false);
  wake?.();
  await ended;
});

test("however many jobs run, the runner listens for an interrupt once, and not any more when it has ended", async () => {
  const ends: (() => void)[] = [];
  const scene = await claiming({
    agent: async (...given) => {
      await new Promise<void>((resolve) => {
        ends.push(resolve);
      });
      return await goodAgent(...given);
    },
  });
  for (let count = 0; count < 3; count++) await scene.gitlab.enqueue();
  const ended = runRunner(scene.deps, { ...scene.options, concurrent: 3, maxJobs: 3 });
  await expect.poll(() => ends.length, patient).toBe(3);
  expect(getEventListeners(scene.options.interrupt, "abort")).toHaveLength(1);
  for (const end of ends) end();
  await ended;
  expect(getEventListeners(scene.options.interrupt, "abort")).toHaveLength(0);
});

test("an interrupt reaches the jobs that run", async () => {
  const scene = await claiming({
    launch: ({ onReport }) => {
      let end: (() => void) | undefined;
      const finished = new Promise<void>((resolve) => {
        end = resolve;
      }).then(() => exited(null, "SIGTERM"));
      onReport({ kind: "started" });
      return Promise.resolve({ agentPid: undefined, finished, interrupt: () => end?.() });
    },
  });
  await scene.gitlab.enqueue();
  const ended = runRunner(scene.deps, scene.options);
  await expect.poll(() => scene.events.length, patient).toBe(2);
  scene.stop();
  scene.interrupt();
  await ended;
  expect(scene.gitlab.job(1)).toMatchObject({
    status: "failed",
    failureReason: "runner_interrupted",
  });
});

test("a new queue value is waited on at once, an old one after the interval", async () => {
  const scene = await claiming();
  const options: RunnerOptions = { ...scene.options, checkIntervalSeconds: 3 };
  const ended = runRunner(withEnd(scene, 4), options);
  await ended;
  expect(scene.waits.filter((seconds) => seconds > 1 && seconds <= 3).length).toBeGreaterThan(0);
  expect(requests(scene).length).toBeGreaterThanOrEqual(4);
});

test("C5 a lost race is no failure: the next request gets the job", async () => {
  const scene = await claiming();
  await scene.gitlab.enqueue();
  scene.gitlab.loseRaces(5);
  await runRunner(scene.deps, { ...scene.options, maxJobs: 1 });
  expect(scene.gitlab.job(1).status).toBe("success");
  expect(scene.diagnostics).toEqual([]);
});

test("C28 after three refusals of the token nobody asks for 60 minutes, and that is said", async () => {
  const scene = await claiming();
  scene.gitlab.addFault({ match: "POST /api/v4/jobs/request", status: 403, times: 3 });
  const asked: number[] = [];
  const sleep: RunnerDeps["sleep"] = (milliseconds, signal) => {
    if (milliseconds > 60_000) {
      asked.push(requests(scene).length);
      expect(milliseconds / 60_000).toBeCloseTo(60, 0);
      scene.stop();
    }
    return scene.deps.sleep(milliseconds, signal);
  };
  await runRunner({ ...scene.deps, sleep }, scene.options);
  expect(asked).toEqual([3]);
  expect(scene.diagnostics.join("\n")).toMatch(/60 min|hour/);
});

test("what is wrong with GitLab is said once, and again when it is over", async () => {
  const scene = await claiming();
  scene.gitlab.addFault({ match: "POST /api/v4/jobs/request", status: 501, times: 4 });
  await runRunner(withEnd(scene, 7), scene.options);
  expect(scene.diagnostics).toEqual([expect.stringContaining("501"), "GitLab answers again"]);
});

test("a job whose own frame breaks does not stop the others", async () => {
  let count = 0;
  const scene = await claiming({
    agent: (...given) => {
      count++;
      if (count > 1) return goodAgent(...given);
      return new Promise((_resolve, reject) => {
        setTimeout(reject, 300, new Error("broken"));
      });
    },
  });
  await scene.gitlab.enqueue();
  await scene.gitlab.enqueue();
  await runRunner(scene.deps, { ...scene.options, maxJobs: 2 });
  expect(scene.diagnostics.join("\n")).toContain("job 1: broken");
  expect(scene.gitlab.job(2).status).toBe("success");
});

test("waiting leaves no listeners behind on the signals", async () => {
  const scene = await claiming();
  for (let count = 0; count < 4; count++) await scene.gitlab.enqueue();
  await runRunner(withEnd(scene, 20), scene.options);
  const left = getEventListeners(scene.options.stop, "abort");
  expect(left.length).toBeLessThan(3);
  expect(getEventListeners(scene.options.interrupt, "abort")).toEqual([]);
  expect(scene.gitlab.jobs().map(({ status }) => status)).toEqual(Array(4).fill("success"));
});

test("an agent that another attempt was faster than is no success", async () => {
  const scene = await claiming({ agent: () => Promise.resolve(exited(agentExit.fenceLost)) });
  await scene.gitlab.enqueue();
  await runRunner(scene.deps, { ...scene.options, maxJobs: 1 });
  expect(scene.events.map(({ event }) => event)).not.toContain("success");
});

/** The runner is stopped once it has asked so often. */
function withEnd(scene: Awaited<ReturnType<typeof claiming>>, count: number): RunnerDeps {
  return {
    ...scene.deps,
    sleep: async (milliseconds, signal) => {
      await scene.deps.sleep(milliseconds, signal);
      // A turn for the network: these waits take no time.
      await new Promise((resolve) => {
        setTimeout(resolve, 1);
      });
      if (requests(scene).length >= count) scene.stop();
    },
  };
}
