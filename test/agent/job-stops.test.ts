import { expect, test } from "vitest";
import { createJobStops } from "../../src/agent/job-stops.ts";
import type { StopReason } from "../../src/agent/job-stops.ts";

type Phase = "before" | "script" | "after";

/** Whether everything stops, whether the script does, and for what reason. */
function stopped(phase: Phase, ...reasons: readonly Exclude<StopReason, "broken">[]) {
  const stops = createJobStops();
  if (phase !== "before") stops.enter("script");
  if (phase === "after") stops.enter("after");
  for (const reason of reasons) stops.stop(reason);
  return {
    all: stops.all.aborted,
    script: stops.script.aborted,
    reason: stops.reason,
    canceled: stops.canceled,
  };
}

test.each<[string, Phase, StopReason, ReturnType<typeof stopped>]>([
  [
    "a cancel before the script stops everything",
    "before",
    "canceled",
    { all: true, script: true, reason: "canceled", canceled: true },
  ],
  [
    "a cancel within the script stops the script alone",
    "script",
    "canceled",
    { all: false, script: true, reason: "canceled", canceled: true },
  ],
  [
    "a cancel after the script stops nothing, and is remembered",
    "after",
    "canceled",
    { all: false, script: false, reason: undefined, canceled: true },
  ],
  [
    "what GitLab has ended itself stops at once, whatever runs",
    "after",
    "aborted",
    { all: true, script: true, reason: "aborted", canceled: true },
  ],
  [
    "the job's time limit stops everything",
    "script",
    "timeout",
    { all: true, script: true, reason: "timeout", canceled: false },
  ],
  [
    "so does a runner that is told to stop",
    "after",
    "interrupted",
    { all: true, script: true, reason: "interrupted", canceled: false },
  ],
])("%s", (_name, phase, reason, expected) => {
  expect(stopped(phase, reason as "canceled")).toEqual(expected);
});

test("the first reason to stop everything stays the reason", () => {
  expect(stopped("script", "timeout", "interrupted").reason).toBe("timeout");
});

test("C38 a forced cancel ends what a graceful one had left running", () => {
  const { all, reason } = stopped("script", "canceled", "aborted");
  expect({ all, reason }).toEqual({ all: true, reason: "aborted" });
});

test("what breaks the agent stops everything, and its first trouble is kept", () => {
  const stops = createJobStops();
  stops.breakOff("the disk is full");
  stops.breakOff("and something else");
  expect(stops.all.aborted).toBe(true);
  expect(stops.reason).toBe("broken");
  expect(stops.trouble).toBe("the disk is full");
  expect(stops.canceled).toBe(false);
});
