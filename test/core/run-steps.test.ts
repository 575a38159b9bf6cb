import { expect, test } from "vitest";
import { withStepRunner } from "../../src/core/run-steps.ts";
import { jobVariables } from "../../src/core/variables.ts";
import { buildJob } from "./build-job.ts";

test("a job with scripts stays as it is", () => {
  const job = buildJob({ steps: [{ name: "script", script: ["true"] }] });
  expect(withStepRunner(job)).toBe(job);
});

test("C49 a job with run gets a script that hands its steps to step-runner, literally", () => {
  const run = JSON.stringify([{ name: "hi", script: "echo $HOME $$" }]);
  const job = withStepRunner(buildJob({ run, variables: [{ key: "STEPS", value: "older" }] }));
  expect(job.run).toBe("");
  expect(job.steps).toMatchObject([{ name: "script", script: ["step-runner ci"] }]);
  const entries = job.variables.map((one) => ({ ...one, value: one.value.reveal() }));
  expect(jobVariables(entries, { tempDir: "/t" }).get("STEPS")).toBe(run);
});
