import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { RunnerError } from "../../../src/core/errors.ts";
import { pauseSeconds } from "../../../src/agent/sources/attempts.ts";
import { startGitServer } from "./git-server.ts";
import { makeProject, temporaryFolder } from "./project.ts";
import { makeJob, projectDirOf, recordingLog, runStage } from "./stage.ts";

async function flakyProject(failures: number) {
  const folder = temporaryFolder();
  const project = makeProject(folder, "server/group/project");
  const sha = project.commit({ "a.txt": "one" });
  let left = failures;
  const server = await startGitServer({
    root: join(folder, "server"),
    misbehave: () => (left-- > 0 ? 503 : undefined),
  });
  onTestFinished(() => server.close());
  const pauses: number[] = [];
  const more = {
    sleep: async (milliseconds: number) => {
      pauses.push(milliseconds);
    },
  };
  const job = makeJob({ repositoryUrl: `${server.origin}/group/project.git`, sha });
  return { folder, server, pauses, more, job };
}

test("GET_SOURCES_ATTEMPTS repeats the stage after growing pauses", async () => {
  const { folder, pauses, more, job } = await flakyProject(2);
  const log = await runStage({ folder, job, more, variables: { GET_SOURCES_ATTEMPTS: "3" } });
  expect(pauses).toEqual([5_000, 10_000]);
  expect(log.said.filter((line) => line.startsWith("warning"))).toEqual([
    "warning: git fetch ended with exit code 128. Attempt 2/3 in 5 s...",
    "warning: git fetch ended with exit code 128. Attempt 3/3 in 10 s...",
  ]);
  expect(readFileSync(join(projectDirOf(folder), "a.txt"), "utf8")).toBe("one");
});

test("before the second attempt, and only then, the work tree is cleared", async () => {
  const { folder, more, job } = await flakyProject(2);
  mkdirSync(projectDirOf(folder), { recursive: true });
  const left = join(projectDirOf(folder), "left.txt");
  writeFileSync(left, "");
  const log = recordingLog();
  const variables = { GET_SOURCES_ATTEMPTS: "2", GIT_CLEAN_FLAGS: "none" };
  await expect(runStage({ folder, job, more, variables }, log)).rejects.toThrow("git fetch");
  const clearing = "info: Deleting all tracked and untracked files due to source fetch failure";
  expect(log.said.filter((line) => line === clearing)).toHaveLength(1);
  expect(existsSync(left)).toBe(false);
});

test("one attempt is the default, and the last one's error is the stage's", async () => {
  const { folder, more, pauses, job } = await flakyProject(1);
  await expect(runStage({ folder, job, more })).rejects.toMatchObject({ exitCode: 128 });
  expect(pauses).toEqual([]);
});

function refuse(): Promise<void> {
  throw new RunnerError("runner_configuration_error", "no");
}

test("an error of configuration is not tried again", async () => {
  const { folder, pauses, more, job } = await flakyProject(0);
  const settings = { preGetSourcesScript: "true" };
  const variables = { GET_SOURCES_ATTEMPTS: "3" };
  const stage = { folder, job, variables, settings, more: { ...more, runHook: refuse } };
  await expect(runStage(stage)).rejects.toThrow("no");
  expect(pauses).toEqual([]);
});

test("the pauses double from 5 s and stop growing at 5 min", () => {
  const pauses = [1, 2, 3, 6, 7, 9].map(pauseSeconds);
  expect(pauses).toEqual([5, 10, 20, 160, 300, 300]);
});
