import { expect, test } from "vitest";
import {
  backoffMs,
  finalUpdateBackoff,
  requestBackoff,
  stageAttempts,
  stageBackoff,
  uploadBackoff,
} from "../../src/core/retry.ts";
import { jobVariables } from "../../src/core/variables.ts";

test("without jitter each wait doubles up to the most", () => {
  const waits = [1, 2, 3, 4, 12, 13, 100].map((n) => backoffMs(finalUpdateBackoff, n, 0.7));
  expect(waits).toEqual([1000, 2000, 4000, 8000, 2_048_000, 3_600_000, 3_600_000]);
  expect([1, 2, 7, 8].map((n) => backoffMs(stageBackoff, n, 0))).toEqual([
    5000, 10_000, 300_000, 300_000,
  ]);
  expect([1, 2, 3, 4].map((n) => backoffMs(uploadBackoff, n, 0))).toEqual([1000, 2000, 4000, 5000]);
});

test.each([
  [1, 0, 100],
  [1, 0.999, 100],
  [3, 0, 100],
  [3, 0.5, 250],
  [3, 1, 400],
  [50, 1, 60_000],
])("with jitter, wait %d with chance %d is %d ms", (failures, random, waitMs) => {
  expect(backoffMs(requestBackoff, failures, random)).toBe(waitMs);
});

test.each([
  ["once where nothing is said", "", { kind: "attempts", count: 1 }],
  ["as often as said", "3", { kind: "attempts", count: 3 }],
  ["ten times at most", "10", { kind: "attempts", count: 10 }],
  ["once where it is no number", "many", { kind: "attempts", count: 1 }],
  [
    "not at all out of range",
    "11",
    { kind: "invalid", message: "GET_SOURCES_ATTEMPTS must be a number from 1 to 10" },
  ],
  [
    "not zero times",
    "0",
    { kind: "invalid", message: "GET_SOURCES_ATTEMPTS must be a number from 1 to 10" },
  ],
])("a stage is tried %s", (_rule, value, attempts) => {
  const variables = jobVariables([{ key: "GET_SOURCES_ATTEMPTS", value }], { tempDir: "/t" });
  expect(stageAttempts(variables, "GET_SOURCES_ATTEMPTS")).toEqual(attempts);
});
