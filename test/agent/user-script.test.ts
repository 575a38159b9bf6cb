import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ContainerGone } from "../../src/agent/container-gone.ts";
import type { JobContainer, StageExit } from "../../src/agent/job-container.ts";
import { createJobStops } from "../../src/agent/job-stops.ts";
import { readyJob } from "../../src/agent/ready-job.ts";
import { openTrace } from "../../src/agent/trace.ts";
import { outcomeOfEnd, runUserScript } from "../../src/agent/user-script.ts";
import { buildHandOff } from "./build-hand-off.ts";
import { memorySpool } from "./memory-spool.ts";
import { steppedClock } from "./stepped-clock.ts";
import { patient } from "../harness/patient.ts";

/** A container whose shell does what the test says, and which notes what is asked of it. */
function newContainer() {
  const programs: string[] = [];
  const cancels: number[] = [];
  let end: (exit: StageExit) => void = () => undefined;
  const container: JobContainer = {
    state: Promise.resolve({ kind: "up", uid: "0", shell: "/bin/sh" }),
    run: (program) => {
      programs.push(program);
      return new Promise((resolve) => {
        end = resolve;
      });
    },
    cancel: (graceSeconds) => cancels.push(graceSeconds),
    quit: () => Promise.resolve(),
    abandon: () => undefined,
  };
  return { container, programs, cancels, end: (exit: StageExit) => end(exit) };
}

function scene(timeoutMs?: number) {
  const home = mkdtempSync(join(tmpdir(), "burst-script-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const variables = [{ key: "KEY", value: "content", file: true }];
  const ready = readyJob(buildHandOff(home, { variables, runner_info: { timeout: 600 } }));
  const shell = newContainer();
  const clock = steppedClock();
  const stops = createJobStops();
  const run = {
    ...ready,
    container: shell.container,
    trace: openTrace(memorySpool(), () => undefined, ready.trace),
    stops,
    now: clock.now,
    sleep: clock.sleep,
  };
  const start = () =>
    runUserScript(run, {
      kind: "script",
      commands: ["echo hello"],
      variables: run.variables,
      signal: stops.script,
      timeoutMs,
    });
  const running = async () => {
    await expect.poll(() => shell.programs.length, patient).toBe(1);
  };
  return { ...shell, run, start, running, stops, clock };
}

test("a script's exit status is its end", async () => {
  const { start, running, end, run } = scene();
  const ended = start();
  await running();
  end({ kind: "exit", status: 3 });
  expect(await ended).toEqual({ kind: "exit", status: 3 });
  expect(outcomeOfEnd(run, await ended, undefined)).toMatchObject({
    kind: "failed",
    reason: "script_failure",
    exitCode: 3,
  });
});

test("before it runs, the file variables are written afresh", async () => {
  const { start, running, end, run, programs } = scene();
  const ended = start();
  await running();
  const path = join(run.tempDir, "KEY");
  expect(readFileSync(path, "utf8")).toBe("content");
  expect(programs[0]).toContain(path);
  end({ kind: "exit", status: 0 });
  await ended;
});

test("C62 at its time limit it is canceled with 10 s to leave, whatever status it leaves with", async () => {
  const { start, running, end, run, clock, cancels } = scene(5000);
  const ended = start();
  await running();
  expect(await clock.wake()).toBe(5000);
  await expect.poll(() => cancels, patient).toEqual([10]);
  end({ kind: "exit", status: 0 });
  expect(await ended).toEqual({ kind: "timeout" });
  expect(outcomeOfEnd(run, await ended, 5000)).toEqual({ kind: "timed_out", limitMs: 5000 });
});

test("C38 a cancel stops it once, with 10 s to leave", async () => {
  const { start, running, end, run, stops, cancels } = scene();
  stops.enter("script");
  const ended = start();
  await running();
  stops.stop("canceled");
  stops.stop("canceled");
  expect(cancels).toEqual([10]);
  end({ kind: "exit", status: 143 });
  expect(await ended).toEqual({ kind: "stopped" });
  expect(outcomeOfEnd(run, await ended, undefined)).toEqual({ kind: "canceled" });
});

test("C37 a job that GitLab has ended itself gets no time to leave", async () => {
  const { start, running, end, stops, cancels } = scene();
  const ended = start();
  await running();
  stops.stop("aborted");
  expect(cancels).toEqual([0]);
  end({ kind: "exit", status: 137 });
  expect(await ended).toEqual({ kind: "stopped" });
});

test("a job that is stopped already runs nothing", async () => {
  const { start, programs, stops } = scene();
  stops.stop("interrupted");
  expect(await start()).toEqual({ kind: "stopped" });
  expect(programs).toEqual([]);
});

test("a script that not even KILL ends is left behind after five minutes", async () => {
  const { start, running, stops, clock } = scene();
  const ended = start();
  await running();
  stops.stop("timeout");
  expect(await clock.wake()).toBe(5 * 60_000);
  expect(await ended).toEqual({ kind: "stopped" });
});

test("a container that goes away under a script is no result of the script's", async () => {
  const { start, running, end } = scene();
  const ended = start();
  await running();
  end({ kind: "gone" });
  await expect(ended).rejects.toThrow(ContainerGone);
});

test("a container that goes away because it was told to stop is no riddle", async () => {
  const { start, running, end, stops } = scene();
  const ended = start();
  await running();
  stops.stop("interrupted");
  end({ kind: "gone" });
  expect(await ended).toEqual({ kind: "stopped" });
});
