import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { JobView } from "../../src/stand-in/views.ts";
import type { BurstProcess } from "../harness/burst-process.ts";
import { kill, until } from "../harness/processes.ts";
import { lastLine, openScene } from "../harness/scene.ts";
import type { Scene } from "../harness/scene.ts";

const noise = "seq 1 20000";

function waitsForGo(home: string) {
  return `until [ -e ${home}/go ]; do sleep 0.1; done`;
}

/** A job in mid-script, whose runner has just been killed. */
async function killRunner(scene: Scene, job: JobView) {
  const burst = scene.burst();
  await scene.traceHas(job, "in the middle");
  const agent = await until("an agent", () => burst.agent());
  burst.kill("SIGKILL");
  expect(await burst.ended.catch(() => undefined)).toEqual({ code: null, signal: "SIGKILL" });
  return { burst, agent };
}

function claims(scene: Scene): readonly string[] {
  const folder = join(scene.home, ".burst", "claims");
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".json"),
  );
}

test.concurrent("a runner killed in mid-job: the agent finishes it and tells GitLab, the next start tidies up", async () => {
  const scene = await openScene();
  try {
    const { home } = scene;
    const job = await scene.enqueue({
      script: ["echo in the middle", waitsForGo(home), noise, "echo whole"],
      afterScript: ["echo afterwards"],
    });
    const { burst, agent } = await killRunner(scene, job);
    writeFileSync(join(home, "go"), "");
    const ended = await scene.ended(job);
    expect(ended.status).toBe("success");
    expect(ended.trace().toString()).toContain("afterwards");
    expect(ended.reported.checksum).toBe(ended.traceChecksum);
    await until("the agent's end", () => burst.processes().length === 0);
    expect(agent.pid).toBeGreaterThan(0);
    expect(claims(scene)).toHaveLength(1);

    const next = await scene.enqueue();
    const second = scene.burst();
    expect((await scene.ended(next)).status).toBe("success");
    expect(await second.ended).toEqual({ code: 0, signal: null });
    expect(second.stderr()).toContain(
      `job ${job.id}: left over by an earlier run; GitLab has its end`,
    );
    expect(claims(scene)).toEqual([]);
    expect(second.remains()).toEqual([]);
    expect(scene.gitlab.job(job.id).status).toBe("success");
  } finally {
    await scene.close();
  }
});

test.concurrent("a job that outlives its runner keeps its folder: the next runner's jobs get another", async () => {
  const scene = await openScene();
  try {
    const { home } = scene;
    const script = ["echo in the middle", waitsForGo(home), "cat mine"];
    const job = await scene.enqueue({ script: ["echo first > mine", ...script] });
    await killRunner(scene, job);
    const next = await scene.enqueue({ script: ["test ! -e mine", "echo second > mine"] });
    const second = scene.burst();
    expect((await scene.ended(next)).status).toBe("success");
    await second.ended;
    expect(claims(scene)).toHaveLength(1);
    writeFileSync(join(home, "go"), "");
    const ended = await scene.ended(job);
    expect(ended.status).toBe("success");
    expect(ended.trace().toString()).toContain("O first");
  } finally {
    await scene.close();
  }
});

test.concurrent.each(["agent", "runner"])(
  "runner and agent both killed, the %s first: the next start tells GitLab, and removes what is left",
  async (first) => {
    const scene = await openScene();
    try {
      const job = await scene.enqueue({
        script: ["echo in the middle", "(trap '' TERM; setsid sleep 300) &", "sleep 301"],
        variables: [
          {
            key: "SECRET_FILE",
            value: "hidden",
            file: true,
            public: false,
            masked: false,
            raw: false,
          },
        ],
      });
      const burst = scene.burst();
      await scene.traceHas(job, "in the middle");
      const agent = await until("an agent", () => burst.agent());
      const pids = first === "agent" ? [agent.pid, burst.pid] : [burst.pid, agent.pid];
      for (const pid of pids) kill(pid, "SIGKILL");
      // Boot takes it as its own end, without anybody to tell it.
      await until("the end of the job's processes", () => burst.processes().length === 0);
      expect(scene.gitlab.job(job.id).status).toBe("running");
      expect(burst.remains().length).toBeGreaterThan(0);

      const second = scene.burst();
      const ended = await scene.ended(job);
      expect([ended.status, ended.failureReason]).toEqual(["failed", "runner_system_failure"]);
      expect(lastLine(ended)).toBe(
        "ERROR: Job failed (system failure): the runner was killed while this job ran",
      );
      await scene.enqueue();
      expect(await second.ended).toEqual({ code: 0, signal: null });
      expect(scene.finalUpdates(job)).toHaveLength(1);
      expect(second.remains()).toEqual([]);
      expect(claims(scene)).toEqual([]);
    } finally {
      await scene.close();
    }
  },
);

const early = {
  "before the job's shell has its pipes": async (_scene: Scene, burst: BurstProcess) => {
    await until("an agent", () => burst.agent());
  },
  "while git waits for the server": async (_scene: Scene, burst: BurstProcess) => {
    await until("git", () =>
      burst.processes().some(({ command }) => command.includes("git-remote-http")),
    );
  },
};

test.concurrent.each(Object.entries(early))(
  "both killed %s: the next start ends what they left",
  async (_name, reached) => {
    const scene = await openScene();
    try {
      scene.gitlab.addFault({ match: "* /root/**", times: 9, latency_ms: 600_000 });
      const job = await scene.enqueue();
      const burst = scene.burst();
      await reached(scene, burst);
      kill(burst.agent()!.pid, "SIGKILL");
      burst.kill("SIGKILL");
      scene.gitlab.clearFaults();
      const second = scene.burst();
      expect((await scene.ended(job)).failureReason).toBe("runner_system_failure");
      await scene.enqueue();
      expect(await second.ended).toEqual({ code: 0, signal: null });
      await until("the end of what they left", () => burst.processes().length === 0);
      expect(second.remains()).toEqual([]);
    } finally {
      await scene.close();
    }
  },
);
