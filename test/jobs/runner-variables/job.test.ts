import { join } from "node:path";
import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { job, trace, runner } = await runFolder(import.meta.url, {
  settings: { environment: ["FROM_BOTH=the settings'", "FROM_SETTINGS=with $FROM_BOTH inside"] },
});
const lines = trace("print").split("\n");
const value = (name: string) =>
  lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1);

test("the runner says where things are and that this is CI", () => {
  const project = value("CI_PROJECT_DIR") ?? "";
  const token = runner.gitlab.runnerToken.replace(/^glrt-/, "").slice(0, 9);
  expect(value("CI_RUNNER_SHORT_TOKEN")).toBe(token);
  expect(value("CI_BUILDS_DIR")).toBe(join(runner.folder, "builds"));
  expect(project).toBe(join(runner.folder, "builds", token, "0", "root", "runner-variables"));
  expect(lines).toContain(project);
  expect(value("RUNNER_TEMP_PROJECT_DIR")).toBe(`${project}.tmp`);
  expect(lines).toContain(`${project}.tmp`);
  expect(value("GITLAB_ENV")).toBe(`${project}.tmp/gitlab_runner_env`);
  expect(value("CI")).toBe("true");
  expect(value("CI_SERVER")).toBe("yes");
});

test("the runner says what it is", () => {
  expect(value("CI_CONCURRENT_ID")).toBe("0");
  expect(value("CI_CONCURRENT_PROJECT_ID")).toBe("0");
  expect(value("CI_JOB_STATUS")).toBe("running");
  expect(value("CI_JOB_TIMEOUT")).toBe("3600");
  expect(value("CI_JOB_IMAGE")).toBe("alpine:3.20");
  expect(value("CI_SHARED_ENVIRONMENT")).toBe("true");
  expect(value("CI_DISPOSABLE_ENVIRONMENT")).toBeUndefined();
  expect(value("CI_RUNNER_REVISION")).toBe("");
  expect(value("CI_RUNNER_EXECUTABLE_ARCH")).toMatch(/^linux\/(amd64|arm64)$/);
});

test("C57 a job's variable wins over the settings' environment, but not over CI_RUNNER_VERSION", () => {
  expect(value("FROM_BOTH")).toBe("the job's");
  expect(value("FROM_SETTINGS")).toBe("with the job's inside");
  expect(value("CI_RUNNER_VERSION")).toBe("0.0.0");
});

test("what only GitLab knows comes through as GitLab said it", () => {
  expect(value("CI_JOB_ID")).toBe(String(job("print").id));
  expect(value("CI_JOB_NAME")).toBe("print");
  expect(value("CI_PROJECT_PATH")).toBe("root/runner-variables");
  expect(value("CI_RUNNER_DESCRIPTION")).toBe("stand-in");
});

test("the runner's own token and its channel to the shell are not in the environment", () => {
  const text = job("print").trace().toString();
  expect(text).not.toContain(runner.gitlab.runnerToken);
  expect(text).not.toContain("BURST_CONTROL");
});
