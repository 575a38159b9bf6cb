import { expect, test } from "vitest";
import { parseDuration } from "../../src/core/settings-duration.ts";

test.each<[string, string, number | undefined]>([
  ["minutes", "60m", 3600],
  ["hours and minutes together", "1h30m", 5400],
  ["fractions", "1.5h", 5400],
  ["a fraction without its zero", ".5s", 0.5],
  ["milliseconds, which are not minutes", "1500ms", 1.5],
  ["a zero needs no unit", "0", 0],
  ["a sign", "-1s", -1],
  ["a number without a unit is no duration", "60", undefined],
  ["an unknown unit is no duration", "1d", undefined],
  ["min is not Go's word for minutes", "5min", undefined],
  ["a space between is no duration", "1h 30m", undefined],
  ["nothing is no duration", "", undefined],
])("%s", (_, text, seconds) => {
  expect(parseDuration(text)).toBe(seconds);
});
