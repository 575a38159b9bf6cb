import { expect, test } from "vitest";
import { nearest } from "../../../src/stand-in/pipeline/nearest.ts";

const known = ["script", "before_script", "stage", "stages", "image", "needs", "when"];

test.each([
  ["scirpt", "script"],
  ["scripts", "script"],
  ["beforescript", "before_script"],
  ["befor_script", "before_script"],
  ["Image", "image"],
  ["stge", "stage"],
  ["need", "needs"],
  ["wen", "when"],
])("the name nearest to %j is %j", (name, expected) => {
  expect(nearest(name, known)).toBe(expected);
});

test.each(["environment", "x", "deploy"])("no known name is near %j", (name) => {
  expect(nearest(name, known)).toBeUndefined();
});
