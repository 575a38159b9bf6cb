import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseJob } from "../../src/core/job.ts";
import { agentExit } from "../../src/core/hand-off.ts";
import { runClaim } from "../../src/flow/run-claim.ts";
import type { RawJob } from "../../src/stand-in/raw-job.ts";
import { plainText } from "../harness/project.ts";
import { claiming, exited, goodAgent, tokenOf } from "./claiming.ts";
import type { ClaimingOptions } from "./claiming.ts";

type Scene = Awaited<ReturnType<typeof claiming>>;

interface ClaimOptions extends ClaimingOptions {
  readonly raw?: RawJob;
  readonly slot?: number;
  /** Between GitLab's 201 and everything else. */
  readonly claimed?: (scene: Scene, jobId: number) => void;
  /** When the agent is there. */
  readonly watch?: (scene: Scene) => void;
}

/** A job is claimed, and seen to its end. */
async function claimed(options: ClaimOptions = {}) {
  const { agent = goodAgent, watch, ...others } = options;
  const scene: Scene = await claiming({
    ...others,
    agent: async (...given) => {
      // By then the agent is written down too.
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
      watch?.(scene);
      return await agent(...given);
    },
  });
  await scene.gitlab.enqueue(options.raw);
  const reply = await scene.deps.gitlab.requestJob();
  if (reply.kind !== "job") throw new Error(`no job, but ${reply.kind}`);
  const { raw, payload, jobId, token } = reply;
  options.claimed?.(scene, jobId);
  const parsed = parseJob(payload);
  const claimedAt = scene.deps.now();
  const claim = { raw, parsed, jobId, token, slot: options.slot ?? 0, claimedAt };
  await runClaim(scene.deps, claim, scene.options);
  const job = scene.gitlab.job(jobId);
  return {
    ...scene,
    job,
    raw,
    trace: plainText(job.trace()),
    said: scene.events.map(({ event }) => event),
    recorded: readdirSync(scene.folder),
  };
}

test("C31 GitLab hears that the job runs before anything is started", async () => {
  let before: readonly string[] = [];
  const { said } = await claimed({
    watch: (scene) => {
      before = scene.calls();
    },
  });
  expect(before).toEqual(["PUT /jobs/1 200"]);
  expect(said).toEqual(["claimed", "started", "success"]);
});

test("C31 a job that GitLab has ended meanwhile is dropped without another word", async () => {
  const { calls, said, handOffs, recorded } = await claimed({
    claimed: ({ gitlab }, jobId) => gitlab.cancel(jobId, { force: true }),
  });
  expect(calls()).toEqual(["PUT /jobs/1 403"]);
  expect(handOffs).toEqual([]);
  expect(said).toEqual(["claimed", "canceled"]);
  expect(recorded).toEqual([]);
});

test.each([400, 409, 500])("C32 a %i to that first word does not matter", async (status) => {
  const { job, said } = await claimed({
    claimed: ({ gitlab }) =>
      gitlab.addFault({ match: "PUT /api/v4/jobs/*", status, times: status === 500 ? 5 : 1 }),
  });
  expect(job.status).toBe("success");
  expect(said).toEqual(["claimed", "started", "success"]);
});

test("a job that somebody cancels before it begins is not begun", async () => {
  const { job, handOffs, said, trace, recorded } = await claimed({
    claimed: ({ gitlab }, jobId) => {
      gitlab.cancel(jobId);
      expect(gitlab.job(jobId).status).toBe("canceling");
    },
  });
  expect(handOffs).toEqual([]);
  expect(job.status).toBe("canceled");
  expect(trace).toContain("Job failed: canceled");
  expect(said).toEqual(["claimed", "canceled"]);
  expect(recorded).toEqual([]);
});

test("a job that is canceled while it runs is said without the makeshift reason that GitLab gets", async () => {
  const { events } = await claimed({
    agent: async ({ jobId, onReport }, handOff, gitlab) => {
      onReport({ kind: "started" });
      const failureReason = "unknown_failure";
      onReport({ kind: "result", result: "canceled", failureReason });
      const token = tokenOf(handOff);
      await gitlab.updateJob({ jobId, token, state: "failed", failureReason });
      return exited(agentExit.confirmed);
    },
  });
  expect(events.at(-1)).toMatchObject({ event: "canceled", jobId: 1 });
  expect(events.at(-1)).not.toHaveProperty("failureReason");
});

test("the claim is on disk while the job runs, with its agent, and gone at its end", async () => {
  let seen: unknown;
  const { recorded, raw } = await claimed({
    slot: 3,
    watch: ({ folder }) => {
      seen = JSON.parse(readFileSync(join(folder, "1.json"), "utf8"));
    },
  });
  expect(seen).toMatchObject({ job_id: 1, raw, slot: 3 });
  expect(seen).toHaveProperty("owners.length", 2);
  expect(recorded).toEqual([]);
});

test("the agent is handed the payload as it came, its place, and when it was claimed", async () => {
  const { handOffs, raw } = await claimed({ slot: 3 });
  const [handOff] = handOffs;
  expect(handOff).toMatchObject({ job: raw, concurrentId: 3, concurrentProjectId: 3 });
  expect(Math.abs((handOff?.claimedAt ?? 0) - Date.now())).toBeLessThan(10_000);
});

test("an image and services that the executor does not use are a notice for the trace", async () => {
  const image = { name: "ruby:3.3", entrypoint: null, ports: [], executor_opts: {} } as const;
  const { notices } = await claimed({ raw: { image: { ...image, pull_policy: [] } } });
  expect(notices).toHaveLength(1);
  expect(notices[0]).toContain("ruby:3.3");
});

test("a payload that cannot be read is a failure with a reason, and nothing is started", async () => {
  const { job, handOffs, trace, said } = await claimed({ raw: { payload: { steps: "none" } } });
  expect(handOffs).toEqual([]);
  expect(job).toMatchObject({ status: "failed", failureReason: "runner_system_failure" });
  expect(trace).toContain("GitLab's job payload cannot be read");
  expect(said).toEqual(["claimed", "failed"]);
});

test("a job that cannot be started is a failure with a reason", async () => {
  const { job, trace, recorded } = await claimed({
    launch: () => Promise.reject(new Error("no more processes")),
  });
  expect(job).toMatchObject({ status: "failed", failureReason: "runner_system_failure" });
  expect(trace).toContain("the job could not be started: no more processes");
  expect(recorded).toEqual([]);
});

test.each<[string, number | null, string | null, string]>([
  ["an agent that ends early", 1, null, "the runner's agent ended early (exit code 1)"],
  ["an agent that is killed", null, "SIGKILL", "the runner's agent ended early (signal SIGKILL)"],
  ["a shell that vanished", agentExit.containerGone, null, "the job's shell never came up"],
])(
  "%s: the job fails, and its log says why, behind what is there",
  async (_, code, signal, why) => {
    const { job, trace, said } = await claimed({
      agent: async ({ jobId }, handOff, gitlab) => {
        const bytes = Buffer.from("what the agent wrote\n");
        await gitlab.patchTrace({ jobId, token: tokenOf(handOff), bytes, offset: 0 });
        return exited(code, signal);
      },
    });
    expect(job).toMatchObject({ status: "failed", failureReason: "runner_system_failure" });
    expect(job.trace().toString()).toMatch(/^what the agent wrote\n\d{4}-\d\d-\d\dT\S+ 00O \S/);
    expect(trace).toContain(why);
    expect(said).toEqual(["claimed", "failed"]);
  },
);

test("what the executor knows of the trouble is told instead", async () => {
  const { job, trace } = await claimed({
    agent: () =>
      Promise.resolve({
        kind: "exited",
        code: agentExit.containerGone,
        signal: null,
        trouble: { reason: "image_pull_failure", message: "no such image" },
      }),
  });
  expect(job).toMatchObject({ status: "failed", failureReason: "image_pull_failure" });
  expect(trace).toContain("Job failed: no such image");
});

test("an agent that delivered and then was killed is believed", async () => {
  const { job, said } = await claimed({
    agent: async (launch, handOff, gitlab) => {
      await goodAgent(launch, handOff, gitlab);
      return exited(null, "SIGKILL");
    },
  });
  expect(job.status).toBe("success");
  expect(said).toEqual(["claimed", "started", "success"]);
});

test("what GitLab could not be told stays written down", async () => {
  const { recorded, diagnostics, waits } = await claimed({
    claimed: ({ gitlab }) =>
      gitlab.addFault({ match: "PUT /api/v4/jobs/*", status: 501, times: 100 }),
    agent: () => Promise.resolve(exited(1)),
  });
  expect(recorded).toEqual(["1.json"]);
  expect(diagnostics).toEqual(["job 1: GitLab could not be told that it failed"]);
  expect(waits.slice(0, 9)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256]);
});
