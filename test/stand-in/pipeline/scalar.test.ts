import { expect, test } from "vitest";
import { plainScalar } from "../../../src/stand-in/pipeline/scalar.ts";

test.each([
  ["", null, ""],
  ["~", null, ""],
  ["Null", null, ""],
  ["yes", true, "true"],
  ["On", true, "true"],
  ["off", false, "false"],
  ["FALSE", false, "false"],
  ["y", "y", "y"],
  ["n", "n", "n"],
  ["text", "text", "text"],
  ["42", 42, "42"],
  ["-7", -7, "-7"],
  ["1_000", 1000, "1000"],
  ["3.10", 3.1, "3.1"],
  ["1.0", 1, "1.0"],
  ["1.5e+3", 1500, "1500.0"],
  ["0644", 420, "420"],
  ["0o17", 15, "15"],
  ["0x1F", 31, "31"],
  ["0b101", 5, "5"],
  ["0", 0, "0"],
  ["08", "08", "08"],
  ["1.2.3", "1.2.3", "1.2.3"],
  [".", ".", "."],
  ["1e5", "1e5", "1e5"],
  ["v1.0", "v1.0", "v1.0"],
  ["python:3.12", "python:3.12", "python:3.12"],
])("the plain scalar %j is %j and is written %j, as Ruby does", (text, value, written) => {
  expect(plainScalar(text)).toEqual({ kind: "value", value, text: written });
});

test.each([
  ["2024-05-22", "a date"],
  ["2024-05-22T10:00:00Z", "a date"],
  ["12:30", "a number to the base of 60"],
  ["1:30:00", "a number to the base of 60"],
  [":symbol", "a Ruby symbol"],
  [".inf", "infinity or NaN"],
])("the plain scalar %j is a surprise: %s", (text, meaning) => {
  expect(plainScalar(text)).toEqual({ kind: "surprise", meaning });
});
