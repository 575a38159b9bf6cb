import { expect, test } from "vitest";
import { parseBool, readBool } from "../../src/core/go-bool.ts";

test.each(["1", "t", "T", "TRUE", "true", "True"])("%s is true", (text) => {
  expect(parseBool(text)).toBe(true);
});

test.each(["0", "f", "F", "FALSE", "false", "False"])("%s is false", (text) => {
  expect(parseBool(text)).toBe(false);
});

test.each(["", "yes", "no", "on", "tRUE", " true", "2"])("%j is no truth value", (text) => {
  expect(parseBool(text)).toBeUndefined();
});

test("an empty value gives the default without a word", () => {
  expect(readBool("X", "", true)).toEqual({ value: true });
});

test("a bad value gives the default and a warning that does not show it", () => {
  const reading = readBool("FF_X", "hunter2", false);
  expect(reading.value).toBe(false);
  expect(reading.warning).toContain("FF_X must be true or false");
  expect(reading.warning).not.toContain("hunter2");
});
