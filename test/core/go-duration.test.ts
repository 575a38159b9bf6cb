import { expect, test } from "vitest";
import { formatDurationMs, parseDurationMs } from "../../src/core/go-duration.ts";

test.each([
  ["300s", 300_000],
  ["5m", 300_000],
  ["1h30m", 5_400_000],
  ["1.5h", 5_400_000],
  [".5s", 500],
  ["1.s", 1000],
  ["250ms", 250],
  ["10us", 0.01],
  ["10µs", 0.01],
  ["0", 0],
  ["0s", 0],
  ["+3s", 3000],
  ["-3s", -3000],
  ["1m1m", 120_000],
])("%s is %d ms", (text, durationMs) => {
  expect(parseDurationMs(text)).toBeCloseTo(durationMs, 9);
});

test.each(["", "5", "m", "5 m", "5min", "1h-5m", "five", "1d", "-", ".s"])(
  "%j is no duration",
  (text) => {
    expect(parseDurationMs(text)).toBeUndefined();
  },
);

test.each([
  [3_600_000, "1h0m0s"],
  [5_430_000, "1h30m30s"],
  [60_000, "1m0s"],
  [1000, "1s"],
  [1500, "1.5s"],
  [61_250, "1m1.25s"],
  [250, "250ms"],
  [0.5, "500µs"],
  [0.000002, "2ns"],
  [0, "0s"],
  [-90_000, "-1m30s"],
])("%d ms is written %s", (durationMs, text) => {
  expect(formatDurationMs(durationMs)).toBe(text);
});
