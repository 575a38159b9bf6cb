import { expect, test } from "vitest";
import { mistakesOf } from "./compiling.ts";

test.each([
  ["defualt: { image: a }", 'neither a keyword nor a job with a script. Did you mean "default"?'],
  ["stage: [a]", '"stage" is neither a keyword of the file nor a job. It belongs into a job.'],
  ["tags: [a]", "It belongs into a job or into default."],
  ["script: make", "It belongs into a job."],
  ["environment: a", "It belongs into a job."],
  ["variabels: x", 'Did you mean "variables"?'],
  ["anything: text", "Keywords are: stages, default, variables, workflow, include, image,"],
  ["types: [a]", "types is not supported here: write stages instead."],
  ["spec: { inputs: {} }", "spec is not supported here: pipelines have no inputs here"],
  ["pages: { script: a }", "pages is not supported here: there are no Pages here"],
  ["true: { script: a }", "A key must be a string, not true; put it in quotes."],
  ['"true": { script: a }', 'No job may have the name "true"'],
  ["stages: []", "stages is an empty list"],
  ["stages: build", "stages must be a list of strings, but is a string."],
  ["default: [a]", "default must be a map, but is a list."],
  ["default: { script: a }", "default:script is not supported here: it has no default"],
  ["default: { variables: {A: b} }", "write them at the top level of the file."],
  ["default: { environment: a }", "default:environment is not supported here"],
  ["default: { imaeg: a }", '"imaeg" is not a key of default. Did you mean "image"?'],
  ["image: a\ndefault: { image: b }", "image is given both at the top level and in default"],
])("the top level %j is answered: %s", (yaml, message) => {
  expect(mistakesOf(`${yaml}\nok: { script: ok }`).join("\n")).toContain(message);
});

test("a keyword with nothing behind it counts as not written", () => {
  const yaml =
    "stages:\nvariables:\ndefault:\nworkflow:\nimage:\nok: { script: ok, tags: , image: }";
  expect(mistakesOf(yaml)).toEqual([]);
});
