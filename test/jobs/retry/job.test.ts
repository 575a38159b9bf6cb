import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { job, trace, pipeline } = await runFolder(import.meta.url);
const attempts = (name: string) => pipeline.jobs.filter((attempt) => attempt.name === name);

test("a job that failed by its script is tried again, as a job of its own", () => {
  expect(attempts("flaky").map(({ status }) => status)).toEqual(["failed", "success"]);
  expect(trace("flaky")).toContain("\nsecond attempt\n");
  expect(job("flaky").attempt).toBe(1);
});

test("the exit code decides whether there is another attempt", () => {
  expect(attempts("by exit code").map(({ exitCode }) => exitCode)).toEqual([10, 11]);
});
