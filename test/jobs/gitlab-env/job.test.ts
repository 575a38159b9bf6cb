import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { job, trace } = await runFolder(import.meta.url);

test("what a stage writes to GITLAB_ENV is exported in the stages after it", () => {
  expect(trace("carries over")).toContain("\nearly [from a hook]\n");
  expect(trace("carries over")).toContain("\nnow []\n");
  const then = '\nthen [two  words "and" $quotes] [by the script]\n';
  expect(trace("carries over")).toContain(then);
});

test("a line that is no assignment is passed over", () => {
  expect(job("carries over").status).toBe("success");
});
