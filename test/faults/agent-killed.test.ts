import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { BurstProcess } from "../harness/burst-process.ts";
import { kill, until } from "../harness/processes.ts";
import { lastLine, openScene } from "../harness/scene.ts";
import type { Scene } from "../harness/scene.ts";
import type { RawJob } from "../../src/stand-in/raw-job.ts";
import type { JobView } from "../../src/stand-in/views.ts";

interface Stage {
  readonly job?: RawJob | ((scene: Scene) => RawJob);
  /** Before the job is there. */
  readonly before?: (scene: Scene) => Promise<void> | void;
  /** Resolves when the agent is in that stage. */
  readonly reached: (scene: Scene, burst: BurstProcess, job: JobView) => Promise<void>;
}

const slow = 600_000;
const artifacts = [{ paths: ["kept.txt"], when: "always" }] as const;

const earlier = {
  id: 999,
  name: "earlier",
  token: "glcbt-earlier",
  artifacts_file: { filename: "artifacts.zip", size: 1000 },
};

const stages: Readonly<Record<string, Stage>> = {
  "before it has read its hand-off": {
    reached: async (_scene, burst) => void (await until("an agent", () => burst.agent())),
  },
  "while it prepares": {
    reached: async (scene, burst) => {
      const folder = await until("a scratch folder", () =>
        readdirSync(join(scene.home, "scratch")).find((name) => name.startsWith("burst-")),
      );
      const fifo = join(scene.home, "scratch", folder, "control", "out");
      await until("the FIFOs", () => existsSync(fifo));
      expect(burst.agent()).toBeDefined();
    },
  },
  "in get_sources, while git waits for the server": {
    before: ({ gitlab }) => gitlab.addFault({ match: "* /root/**", times: 9, latency_ms: slow }),
    reached: async (_scene, burst) => {
      await until("git", () =>
        burst.processes().some(({ command }) => command.includes("git-remote-http")),
      );
    },
  },
  "in download_artifacts": {
    job: { payload: { dependencies: [earlier] } },
    before: ({ gitlab }) =>
      gitlab.addFault({ match: "GET /api/v4/jobs/*/artifacts", times: 9, latency_ms: slow }),
    reached: ({ gitlab }) => untilRequest(gitlab, "GET", "/api/v4/jobs/999/artifacts"),
  },
  "in the script": {
    job: { script: ["echo before", "setsid sleep 301 &", "sleep 302"] },
    reached: (scene, _burst, job) => scene.traceHas(job, "before"),
  },
  "in after_script": {
    job: { afterScript: ["echo before", "sleep 302"] },
    reached: (scene, _burst, job) => scene.traceHas(job, "before"),
  },
  "in upload_artifacts": {
    job: { script: ["echo kept > kept.txt"], artifacts },
    before: ({ gitlab }) =>
      gitlab.addFault({ match: "POST /api/v4/jobs/*/artifacts", times: 9, latency_ms: slow }),
    reached: ({ gitlab }, _burst, job) =>
      untilRequest(gitlab, "POST", `/api/v4/jobs/${job.id}/artifacts`),
  },
  "in the final update": {
    job: ({ home }) => ({ script: ["echo before", `until [ -e ${home}/go ]; do sleep 0.1; done`] }),
    reached: async ({ gitlab, home, traceHas }, _burst, job) => {
      await traceHas(job, "before");
      gitlab.clearRequests();
      gitlab.addFault({ match: `PUT /api/v4/jobs/${job.id}`, latency_ms: slow });
      writeFileSync(join(home, "go"), "");
      await untilRequest(gitlab, "PUT", `/api/v4/jobs/${job.id}`);
    },
  },
};

async function untilRequest(gitlab: Scene["gitlab"], method: string, path: string): Promise<void> {
  await until(`${method} ${path}`, () =>
    gitlab.requests().some((request) => request.method === method && request.path === path),
  );
}

test.concurrent.each(Object.entries(stages))(
  "an agent killed %s: GitLab hears of a system failure once, and nothing of the job is left",
  async (_name, stage) => {
    const scene = await openScene();
    try {
      await stage.before?.(scene);
      const job = await scene.enqueue(
        typeof stage.job === "function" ? stage.job(scene) : stage.job,
      );
      const burst = scene.burst();
      await stage.reached(scene, burst, job);
      const agent = burst.agent();
      expect(agent).toBeDefined();
      kill(agent!.pid, "SIGKILL");
      scene.gitlab.clearFaults();
      expect(await burst.line(/ failed /)).toMatch(
        /^job \d+ failed root\/raw job .*s runner_system_failure$/,
      );
      // Not eventually: when the job is said to be over, all of it is over.
      expect(burst.processes().filter(({ pid }) => pid !== burst.pid)).toEqual([]);
      expect(burst.remains()).toEqual([]);
      expect(await burst.ended).toEqual({ code: 0, signal: null });
      const ended = await scene.ended(job);
      expect([ended.status, ended.failureReason]).toEqual(["failed", "runner_system_failure"]);
      expect(scene.finalUpdates(job)).toHaveLength(1);
      expect(lastLine(ended)).toBe(
        "ERROR: Job failed (system failure): the runner's agent ended early (signal SIGKILL)",
      );
    } finally {
      await scene.close();
    }
  },
);
