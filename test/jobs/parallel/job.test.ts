import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { trace, runner } = await runFolder(import.meta.url);

test("the parts of a parallel job know their number", () => {
  expect(trace("numbered 1/2")).toContain("\npart 1 of 2\n");
  expect(trace("numbered 2/2")).toContain("\npart 2 of 2\n");
});

test("the parts of a matrix have its values", () => {
  expect(trace("matrix: [red]")).toContain("\ncolour red\n");
  expect(trace("matrix: [blue]")).toContain("\ncolour blue\n");
});

test("what the runner says of a job names it as GitLab does", () => {
  const ended = runner.events.filter(({ event }) => event === "success");
  expect(ended.map(({ name }) => name).toSorted()).toEqual([
    "matrix: [blue]",
    "matrix: [red]",
    "numbered 1/2",
    "numbered 2/2",
  ]);
  expect(ended.every(({ durationSeconds }) => (durationSeconds ?? 0) > 0)).toBe(true);
});
