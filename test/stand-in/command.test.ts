import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { builtSources } from "../harness/built.ts";

const main = join(await builtSources(), "cli", "main.js");

function burst(...parameters: string[]) {
  const own = mkdtempSync(join(tmpdir(), "burst-command-test-"));
  const child = spawn(process.execPath, [main, "stand-in", ...parameters], {
    env: { ...process.env, TMPDIR: own },
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
    rmSync(own, { recursive: true, force: true });
  });
  const output = { stdout: "", stderr: "" };
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const ready = new Promise<string>((resolve) => {
    child.stdout.on("data", (chunk: Buffer) => {
      output.stdout += chunk.toString();
      if (output.stdout.includes("\n")) resolve(output.stdout);
    });
  });
  child.stderr.on("data", (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  return { child, own, output, ended, ready };
}

test("burst stand-in says where it is in one line of JSON, serves, and ends with 0", async () => {
  const folder = mkdtempSync(join(tmpdir(), "burst-project-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, ".gitlab-ci.yml"), "a: { script: ['true'] }\n");
  const { child, own, output, ended, ready } = burst("--project", folder, "--token", "glrt-mine");
  const said: unknown = JSON.parse(await ready);
  expect(said).toEqual({
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    runner_token: "glrt-mine",
    api_token: expect.stringMatching(/^glpat-/),
  });
  const { url, api_token: token } = { url: "", api_token: "", ...(said as object) };
  const projects = await fetch(`${url}/api/v4/projects`, { headers: { "private-token": token } });
  expect(await projects.json()).toHaveLength(1);
  child.kill("SIGTERM");
  expect(await ended).toBe(0);
  expect(output.stdout.trimEnd().split("\n")).toHaveLength(1);
  expect(output.stderr).toBe("");
  expect(readdirSync(own).filter((name) => name.startsWith("burst-stand-in"))).toEqual([]);
});

test("a project folder that is not there ends it with 2 and one sentence", async () => {
  const { output, ended } = burst("--project", "/nowhere/at/all");
  expect(await ended).toBe(2);
  expect(output.stderr).toBe("burst: project /nowhere/at/all: there is no such folder\n");
  expect(output.stdout).toBe("");
});
