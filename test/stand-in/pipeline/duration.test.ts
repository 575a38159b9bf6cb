import { expect, test } from "vitest";
import { durationSeconds } from "../../../src/stand-in/pipeline/duration.ts";

test.each([
  ["1h 30m", 5400],
  ["1h30m", 5400],
  ["3 hours 30 minutes", 12_600],
  ["2 hours, 5 mins and 1 second", 7501],
  ["90 minutes", 5400],
  ["3600", 3600],
  ["10", 10],
  ["1.5 hours", 5400],
  ["1 day", 86_400],
  ["2 wks", 1_209_600],
  ["3 mos 1d", 7_862_400],
  ["1 yr", 31_557_600],
  ["1:30:00", 5400],
  ["10:30", 630],
  ["  2H ", 7200],
])("the duration %j is %i seconds", (text, seconds) => {
  expect(durationSeconds(text)).toBe(seconds);
});

test.each(["", "soon", "1 fortnight", "1h later", "h", "-5m", "1h & 2m", "s"])(
  "%j is not a duration",
  (text) => {
    expect(durationSeconds(text)).toBeUndefined();
  },
);
