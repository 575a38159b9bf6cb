import { execFile, spawn } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readRunSource } from "../../src/cli/run-settings.ts";
import type { RunFlags } from "../../src/cli/run-settings.ts";
import { startStandIn } from "../../src/stand-in/start.ts";
import type { StandIn } from "../../src/stand-in/stand-in.ts";
import { builtSources } from "../harness/built.ts";

const main = join(await builtSources(), "cli", "main.js");

let folder: string;
let gitlab: StandIn;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "burst-cli-"));
  gitlab = await startStandIn({ watched: true, longPollSeconds: 1 });
  await writeFile(join(folder, "bad.yml"), "concurent: 3\noutput_limit: lots\n");
  await writeFile(join(folder, "config.toml"), 'concurrent = 4\n[[runners]]\n  name = "a"\n');
  await writeFile(join(folder, "list.yml"), "- a\n- b\n");
  await writeFile(join(folder, "broken.yml"), "a: [1\n");
});

afterAll(async () => {
  await gitlab.close();
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function burst(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [main, ...args],
      { cwd: folder, env: { PATH: process.env["PATH"], HOME: folder, ...env } },
      (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr }),
    );
  });
}

test.concurrent.each<[rule: string, args: string[], says: RegExp]>([
  ["without a token", ["--url", "http://127.0.0.1:1"], /--token \(or CI_SERVER_TOKEN\) is missing/],
  [
    "with no jobs at once",
    ["--concurrent", "0", "--url", "http://a", "--token", "b"],
    /--concurrent takes a whole number from 1 on/,
  ],
  [
    "with a URL that is none",
    ["--url", "nonsense", "--token", "glrt-x"],
    /"nonsense" is not a URL/,
  ],
])("run %s ends with 2 and one sentence, no stack", async (_rule, args, says) => {
  const ended = await burst(["run", ...args]);
  expect(ended).toMatchObject({ code: 2, stdout: "" });
  expect(ended.stderr).toMatch(says);
  expect(ended.stderr).not.toMatch(/\n\s+at /);
});

test.each<[rule: string, flags: RunFlags, says: RegExp]>([
  ["without a URL", { token: "glrt-x" }, /--url \(or CI_SERVER_URL\) is missing/],
  ["that names an unknown key", { settings: "bad.yml" }, /bad\.yml: unknown key "concurent"/],
  ["that is a list", { settings: "list.yml" }, /must hold keys and values/],
  ["that is no YAML", { settings: "broken.yml" }, /neither YAML nor JSON/],
  ["that is GitLab Runner's", { settings: "config.toml" }, /write the keys .* as YAML, all on one/],
  ["that is not there", { settings: "none.yml" }, /none\.yml: the file cannot be read/],
])("a settings file or source %s is told in one sentence", (_rule, flags, says) => {
  const file = flags.settings === undefined ? {} : { settings: join(folder, flags.settings) };
  expect(() => readRunSource({ ...flags, ...file }, {})).toThrow(says);
});

test("flags win over the environment", () => {
  const environment = { CI_SERVER_URL: "http://other", CI_SERVER_TOKEN: "glrt-other" };
  const source = readRunSource({ url: "http://flag", token: "glrt-flag" }, environment);
  expect([source.url, source.token.reveal()]).toEqual(["http://flag", "glrt-flag"]);
});

test("a token that GitLab does not know ends with 2, and is not repeated", async () => {
  const ended = await burst(["run", "--url", gitlab.url, "--token", "glrt-secret-wrong"]);
  expect(ended.code).toBe(2);
  expect(ended.stderr).toMatch(/--token: GitLab does not accept it/);
  expect(ended.stderr).not.toContain("secret-wrong");
});

test("an address that is no GitLab's ends with 2, and says what is wrong with it", async () => {
  const url = `${gitlab.url}/group/project`;
  const ended = await burst(["run", "--url", url, "--token", gitlab.runnerToken]);
  expect(ended.code).toBe(2);
  expect(ended.stderr).toContain(`--url: there is no GitLab at ${url} (GitLab answered HTTP 404`);
});

test("a wrong flag is answered with where the right ones are", async () => {
  const ended = await burst(["run", "--concurent", "2"]);
  expect(ended).toMatchObject({ code: 2, stdout: "" });
  expect(ended.stderr).toContain("(burst run --help shows its flags)");
});

test("after --max-jobs it ends with 0 whatever the results, having said a line per event", async () => {
  await gitlab.addFiles("lines", {
    ".gitlab-ci.yml": "good:\n  script: 'true'\nbad:\n  script: exit 3\n",
  });
  await gitlab.createPipeline("root/lines");
  const ended = await burst(["run", "--max-jobs", "2", "--concurrent", "2"], {
    CI_SERVER_URL: gitlab.url,
    CI_SERVER_TOKEN: gitlab.runnerToken,
  });
  expect(ended.code).toBe(0);
  const lines = ended.stdout.trim().split("\n");
  expect(lines).toHaveLength(6);
  expect(lines).toContainEqual(expect.stringMatching(/^job \d+ claimed root\/lines good$/));
  expect(lines).toContainEqual(expect.stringMatching(/^job \d+ started root\/lines bad$/));
  expect(lines).toContainEqual(expect.stringMatching(/^job \d+ success root\/lines good [\d.]+s$/));
  expect(lines).toContainEqual(
    expect.stringMatching(/^job \d+ failed root\/lines bad [\d.]+s script_failure$/),
  );
  expect(await readdir(join(folder, ".burst"))).toEqual(
    expect.arrayContaining(["builds", "claims", "system_id"]),
  );
});

test("as JSON every event has the same keys", async () => {
  await gitlab.addFiles("json", { ".gitlab-ci.yml": "only:\n  script: exit 4\n" });
  await gitlab.createPipeline("root/json");
  const ended = await burst(
    ["run", "--max-jobs", "1", "--log-format", "json", "--url", gitlab.url],
    { CI_SERVER_TOKEN: gitlab.runnerToken },
  );
  const events = ended.stdout
    .trim()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
  expect(events).toEqual(
    ["claimed", "started", "failed"].map((event) => ({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      event,
      job_id: expect.any(Number),
      project: "root/json",
      name: "only",
      duration_seconds: event === "failed" ? expect.any(Number) : null,
      result: event === "failed" ? "failed" : null,
      failure_reason: event === "failed" ? "script_failure" : null,
    })),
  );
});

test("a first SIGTERM lets the running job finish and ends with 0", async () => {
  await gitlab.addFiles("signal", {
    ".gitlab-ci.yml": "slow:\n  script:\n    - echo begun\n    - sleep 1\n",
  });
  await gitlab.createPipeline("root/signal");
  const runner = spawn(process.execPath, [main, "run", "--url", gitlab.url], {
    cwd: folder,
    env: { PATH: process.env["PATH"], HOME: folder, CI_SERVER_TOKEN: gitlab.runnerToken },
  });
  let said = "";
  const ended = new Promise<number | null>((resolve) => runner.on("exit", resolve));
  await new Promise<void>((resolve) => {
    runner.stdout.on("data", (bytes: Buffer) => {
      said += bytes.toString();
      if (said.includes("started")) resolve();
    });
  });
  runner.kill("SIGTERM");
  expect(await ended).toBe(0);
  expect(said).toMatch(/job \d+ success root\/signal slow/);
});
