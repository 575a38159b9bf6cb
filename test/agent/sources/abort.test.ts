import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startGitServer } from "./git-server.ts";
import { makeProject, temporaryFolder } from "./project.ts";
import { makeJob, runStage } from "./stage.ts";

/** Command lines of processes that work on something below this folder. */
function processesOf(folder: string): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        return line.includes(folder) ? [line] : [];
      } catch {
        return [];
      }
    });
}

test("a server that never answers: an abort ends git and its children, with the signal's reason", async () => {
  const folder = temporaryFolder();
  makeProject(folder, "server/group/project").commit({ "a.txt": "one" });
  const stop = new AbortController();
  let during: readonly string[] = [];
  const server = await startGitServer({
    root: join(folder, "server"),
    misbehave: () => {
      during = processesOf(folder);
      stop.abort(new Error("the job's time is up"));
      return "hang";
    },
  });
  onTestFinished(() => server.close());
  const job = makeJob({ repositoryUrl: `${server.origin}/group/project.git` });
  const variables = { GET_SOURCES_ATTEMPTS: "3" };
  const stage = runStage({ folder, job, variables, more: { signal: stop.signal } });
  await expect(stage).rejects.toThrow("the job's time is up");
  expect(during).not.toEqual([]);
  expect(processesOf(folder)).toEqual([]);
});

test("a job that was stopped before this stage starts no git at all", async () => {
  const folder = temporaryFolder();
  const signal = AbortSignal.abort(new Error("canceled"));
  await expect(runStage({ folder, job: makeJob({}), more: { signal } })).rejects.toThrow(
    "canceled",
  );
  expect(readdirSync(folder)).toEqual([]);
});

test("an abort during the pause between attempts ends the stage", async () => {
  const folder = temporaryFolder();
  const stop = new AbortController();
  const sleep = async () => {
    stop.abort(new Error("canceled"));
  };
  const job = makeJob({ repositoryUrl: `file://${folder}/nowhere.git` });
  const variables = { GET_SOURCES_ATTEMPTS: "3" };
  const stage = runStage({ folder, job, variables, more: { signal: stop.signal, sleep } });
  await expect(stage).rejects.toThrow("canceled");
});
