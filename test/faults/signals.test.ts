import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { pause, until } from "../harness/processes.ts";
import { lastLine, openScene } from "../harness/scene.ts";
import type { Scene } from "../harness/scene.ts";

async function inScene(body: (scene: Scene) => Promise<void>) {
  const scene = await openScene();
  try {
    await body(scene);
  } finally {
    await scene.close();
  }
}

function job(home: string) {
  return {
    script: ["echo in the middle", `until [ -e ${home}/go ]; do sleep 0.1; done`],
    afterScript: ["echo afterwards"],
  };
}

test.concurrent.each(["SIGTERM", "SIGINT"] as const)(
  "one %s: no new job is asked for, the running one ends green, exit code 0",
  (signal) =>
    inScene(async (scene) => {
      const burst = scene.burst({ arguments: [] });
      const first = await scene.enqueue(job(scene.home));
      await scene.traceHas(first, "in the middle");
      burst.kill(signal);
      await until("its answer", () => burst.stderr().includes("waiting for those that run"));
      const second = await scene.enqueue();
      await pause(3000);
      writeFileSync(join(scene.home, "go"), "");
      expect((await scene.ended(first)).status).toBe("success");
      expect(await burst.ended).toEqual({ code: 0, signal: null });
      expect(burst.lines().map((line) => line.split(" ")[2])).toEqual([
        "claimed",
        "started",
        "success",
      ]);
      expect(scene.gitlab.job(second.id).status).toBe("pending");
      expect(burst.processes()).toEqual([]);
      expect(burst.remains()).toEqual([]);
    }),
);

test.concurrent("one SIGTERM while nothing runs: exit code 0 at once, even out of a long poll", () =>
  inScene(async (scene) => {
    const burst = scene.burst({ arguments: [] });
    await until("a request", () =>
      scene.gitlab.requests().some(({ path }) => path === "/api/v4/jobs/request"),
    );
    burst.kill("SIGTERM");
    expect(await burst.ended).toEqual({ code: 0, signal: null });
  }));

test.concurrent.each([
  ["knows runner_interrupted", undefined, "runner_interrupted"],
  [
    "does not know it",
    { features: { trace_sections: true, failure_reasons: [] } },
    "unknown_failure",
  ],
] as const)(
  "two SIGTERM: the running jobs end at once, a GitLab that %s hears the reason, exit code 130",
  (_name, payload, reason) =>
    inScene(async (scene) => {
      const burst = scene.burst({ arguments: ["--concurrent", "2"] });
      const raw = { ...job(scene.home), ...(payload === undefined ? {} : { payload }) };
      const jobs = [await scene.enqueue(raw), await scene.enqueue(raw)];
      for (const one of jobs) await scene.traceHas(one, "in the middle");
      burst.kill("SIGTERM");
      await until("its answer", () => burst.stderr().includes("waiting for those that run"));
      burst.kill("SIGTERM");
      expect(await burst.ended).toEqual({ code: 130, signal: null });
      for (const { id } of jobs) {
        const ended = scene.gitlab.job(id);
        expect([ended.status, ended.failureReason]).toEqual(["failed", reason]);
        expect(lastLine(ended)).toBe("ERROR: Job failed: the runner was told to stop");
        expect(ended.trace().toString()).not.toContain("O afterwards");
        expect(scene.finalUpdates(ended)).toHaveLength(1);
      }
      expect(burst.processes()).toEqual([]);
      expect(burst.remains()).toEqual([]);
    }),
);

test.concurrent("two SIGTERM before the agent can listen: GitLab hears runner_interrupted all the same", () =>
  inScene(async (scene) => {
    const burst = scene.burst();
    const first = await scene.enqueue(job(scene.home));
    await until("an agent", () => burst.agent());
    burst.kill("SIGTERM");
    burst.kill("SIGINT");
    expect(await burst.ended).toEqual({ code: 130, signal: null });
    const ended = scene.gitlab.job(first.id);
    expect([ended.status, ended.failureReason]).toEqual(["failed", "runner_interrupted"]);
    expect(lastLine(ended)).toBe("ERROR: Job failed: the runner was told to stop");
    expect(burst.remains()).toEqual([]);
  }));
