import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { sleep } from "../../src/agent/clock.ts";
import { runHelper } from "../../src/agent/helper-command.ts";
import type { HelperCommand } from "../../src/agent/helper-command.ts";

/** Runs a shell text, and tells what it printed. */
async function run(script: string, changes: Partial<HelperCommand> = {}) {
  let stdout = "";
  let stderr = "";
  const outcome = await runHelper({
    command: "/bin/sh",
    args: ["-c", script],
    cwd: "/",
    environment: {},
    stdout: (bytes) => {
      stdout += Buffer.from(bytes).toString();
    },
    stderr: (bytes) => {
      stderr += Buffer.from(bytes).toString();
    },
    signal: new AbortController().signal,
    sleep,
    ...changes,
  });
  return { outcome, stdout, stderr };
}

function isAlive(pid: number): boolean {
  try {
    // A zombie's command line is empty: dead, and waiting for whoever adopted it.
    return readFileSync(`/proc/${String(pid)}/cmdline`, "utf8") !== "";
  } catch {
    return false;
  }
}

test("output is streamed apart, and the exit code told", async () => {
  const { outcome, stdout, stderr } = await run("echo out; echo err >&2; exit 3");
  expect(outcome).toEqual({ kind: "exited", exitCode: 3 });
  expect([stdout, stderr]).toEqual(["out\n", "err\n"]);
});

test("a helper sees the environment it was given and nothing of ours", async () => {
  const { stdout } = await run("/usr/bin/env", { environment: { ONLY: "this" } });
  const names = stdout.split("\n").map((line) => line.split("=")[0]);
  // The shell adds PWD, and some shells two more.
  expect(names.filter((name) => !["PWD", "SHLVL", "_", ""].includes(name ?? ""))).toEqual(["ONLY"]);
});

test("much output arrives whole", async () => {
  const { stdout } = await run("i=0; while [ $i -lt 20000 ]; do echo $i; i=$((i+1)); done");
  expect(stdout.split("\n")).toHaveLength(20_001);
});

test("a program that is not there is an outcome that says what is needed", async () => {
  const { outcome } = await run("", { command: "no-such-program" });
  expect(outcome).toEqual({
    kind: "not_started",
    message:
      "no-such-program could not be started in / (ENOENT): " +
      "it must be installed and on the PATH, and the folder must exist",
  });
});

test("a helper that somebody else killed is told from one that exited", async () => {
  const { outcome } = await run("kill -9 $$");
  expect(outcome).toEqual({ kind: "killed", by: "SIGKILL" });
});

test("an abort ends the helper and what it started; TERM lets it tidy up", async () => {
  const stop = new AbortController();
  let printed = "";
  const script = 'trap "echo tidy; exit 1" TERM; sleep 60 & echo $!; echo $$; wait';
  const { outcome } = await run(script, {
    environment: { PATH: process.env["PATH"] ?? "" },
    signal: stop.signal,
    stdout: (bytes) => {
      printed += Buffer.from(bytes).toString();
      if (printed.split("\n").length > 2) stop.abort();
    },
  });
  const [child, shell] = printed.split("\n").map(Number);
  expect(outcome).toEqual({ kind: "aborted" });
  expect(printed).toContain("tidy");
  expect([isAlive(child ?? 0), isAlive(shell ?? 0)]).toEqual([false, false]);
});

test("a helper deaf to TERM is killed when 10 s are over", async () => {
  const stop = new AbortController();
  const pauses: number[] = [];
  const { outcome } = await run('trap "" TERM; echo ready; while :; do sleep 1; done', {
    environment: { PATH: process.env["PATH"] ?? "" },
    signal: stop.signal,
    stdout: () => {
      stop.abort();
    },
    sleep: async (milliseconds) => {
      pauses.push(milliseconds);
    },
  });
  expect(outcome).toEqual({ kind: "aborted" });
  expect(pauses).toEqual([10_000]);
});

test("aborted from the start: nothing is started", async () => {
  const { outcome, stdout } = await run("echo started", { signal: AbortSignal.abort() });
  expect([outcome.kind, stdout]).toEqual(["aborted", ""]);
});

test("a daemon that holds the helper's pipes open does not hold up its end", async () => {
  const environment = { PATH: process.env["PATH"] ?? "" };
  const { outcome, stdout } = await run("sleep 30 & echo $!", { environment });
  process.kill(Number(stdout));
  expect(outcome).toEqual({ kind: "exited", exitCode: 0 });
});

test("a helper has no terminal and no input to wait for", async () => {
  const { stdout } = await run("cat; (: </dev/tty) 2>/dev/null || echo none", {
    environment: { PATH: process.env["PATH"] ?? "" },
  });
  expect(stdout).toBe("none\n");
});
