import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { job, trace } = await runFolder(import.meta.url);

test("an image and services that the process executor does not use are named in one line, with advice", () => {
  const lines = trace("in an image").split("\n");
  const said = lines.filter((line) => line.includes("ruby:3.3") && !line.startsWith("image "));
  expect(said).toHaveLength(1);
  expect(said[0]).toContain("postgres:16");
  expect(said[0]).toContain("redis:7");
  expect(said[0]).toContain("--executor docker");
});

test("the job runs all the same, with the shell of this machine", () => {
  expect(job("in an image").status).toBe("success");
  expect(trace("in an image")).toContain("\nimage ruby:3.3\n");
});

test("nothing is said where nothing was asked for", () => {
  expect(trace("without")).not.toContain("docker");
  expect(trace("without")).toContain("\nimage []\n");
});
