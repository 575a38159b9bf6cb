import { spawnSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { keepSettling, settleAbandoned } from "../../src/flow/settle-abandoned.ts";
import { claiming } from "./claiming.ts";

/** A process that has ended. */
const gone = spawnSync("true").pid;

async function scene() {
  const { gitlab, deps, options, diagnostics, folder, waits } = await claiming();
  await gitlab.enqueue();
  const reply = await deps.gitlab.requestJob();
  if (reply.kind !== "job") throw new Error(`no job, but ${reply.kind}`);
  const write = (name: string, claim: Record<string, unknown>) =>
    writeFileSync(join(folder, name), JSON.stringify({ slot: 0, ...claim }));
  return {
    gitlab,
    raw: reply.raw,
    write,
    diagnostics,
    waits,
    left: () => readdirSync(folder).filter((name) => name.endsWith(".json")),
    deps: {
      gitlab: deps.gitlab,
      claims: deps.claims,
      settings: options.settings,
      sleep: deps.sleep,
      wallClock: deps.wallClock,
      onDiagnostic: deps.onDiagnostic,
    },
  };
}

test("a job whose runner and agent are gone is told to have failed, and forgotten", async () => {
  const { gitlab, raw, write, deps, left, diagnostics } = await scene();
  write("1.json", { owners: [`${String(gone)}@1`], job_id: 1, raw });
  await settleAbandoned(deps);
  expect(gitlab.job(1)).toMatchObject({ status: "failed", failureReason: "runner_system_failure" });
  expect(gitlab.job(1).trace().toString()).toContain("the runner was killed while this job ran");
  expect(left()).toEqual([]);
  expect(diagnostics).toEqual([
    "job 1: left over by an earlier run; GitLab has been told that it failed",
  ]);
});

test("a job that somebody still works on is left alone", async () => {
  const { gitlab, raw, deps, left } = await scene();
  await deps.claims.record({ jobId: 1, raw, slot: 0, agentPid: gone });
  await settleAbandoned(deps);
  expect(gitlab.job(1).status).toBe("running");
  expect(left()).toEqual(["1.json"]);
});

test("a job that GitLab has ended meanwhile is only forgotten", async () => {
  const { gitlab, raw, write, deps, left, diagnostics } = await scene();
  gitlab.cancel(1, { force: true });
  write("1.json", { owners: [], job_id: 1, raw });
  await settleAbandoned(deps);
  expect(left()).toEqual([]);
  expect(diagnostics).toEqual(["job 1: left over by an earlier run; GitLab has its end already"]);
});

test("a payload that our schema refuses still has an owner, if it has a token", async () => {
  const { gitlab, raw, write, deps, left } = await scene();
  const odd = JSON.stringify({ ...JSON.parse(raw), steps: "none" });
  write("1.json", { owners: [], job_id: 1, raw: odd });
  await settleAbandoned(deps);
  expect(gitlab.job(1).status).toBe("failed");
  expect(left()).toEqual([]);
});

test("one that nobody could settle is forgotten, and one that GitLab did not hear of is kept", async () => {
  const { gitlab, raw, write, deps, left } = await scene();
  gitlab.addFault({ match: "PUT /api/v4/jobs/*", status: 501, times: 10 });
  write("1.json", { owners: [], job_id: 1, raw });
  write("2.json", { owners: [], job_id: 2, raw: "{}" });
  await settleAbandoned(deps);
  expect(left()).toEqual(["1.json"]);
});

test("a claim that is broken keeps no other from being settled", async () => {
  const { gitlab, raw, write, deps, left, diagnostics } = await scene();
  write("1.json", { owners: [], job_id: 1, raw });
  write("2.json", { owners: [], job_id: 2, raw: "no JSON" });
  write("3.json", { nothing: "right" });
  await settleAbandoned(deps);
  expect(gitlab.job(1).status).toBe("failed");
  expect(left()).toEqual(["2.json", "3.json"]);
  expect(diagnostics.join("\n")).toContain("job 2: left over by an earlier run; not settled");
});

test("it is looked at again every minute, until the runner ends", async () => {
  const { gitlab, raw, write, deps } = await scene();
  const over = new AbortController();
  const waits: number[] = [];
  const sleep = (milliseconds: number) => {
    waits.push(milliseconds);
    if (waits.length === 1) write("1.json", { owners: [], job_id: 1, raw });
    else over.abort();
    return Promise.resolve();
  };
  await keepSettling({ ...deps, sleep }, over.signal);
  expect(waits).toEqual([60_000, 60_000]);
  expect(gitlab.job(1).status).toBe("failed");
});
