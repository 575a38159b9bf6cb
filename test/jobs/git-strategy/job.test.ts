import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { trace, pipeline } = await runFolder(import.meta.url, { concurrent: 1 });
const listing = (name: string) => /^(?:.* )?of \S+$/m.exec(trace(name))?.[0];

test("every strategy gives the job what it says", () => {
  expect(pipeline.jobs.map(({ status }) => status)).toEqual(Array(6).fill("success"));
});

test("fetch keeps the repository and brings the project back to the commit", () => {
  expect(trace("fetch first")).toContain("\nCreated fresh repository.\n");
  expect(trace("fetch again")).not.toContain("Created fresh repository");
  expect(trace("fetch again")).toContain("\nmark [kept]\n");
  expect(listing("fetch again")).toBe(".git .gitlab-ci.yml README.md job.test.ts of git-strategy");
});

test("none leaves the folder as the job before left it", () => {
  expect(trace("none")).toContain("\nSkipping Git repository setup\n");
  expect(trace("none")).toContain("\nchanged\n");
  expect(listing("none")).toContain("left-behind.txt");
});

test("clone begins from nothing", () => {
  expect(trace("clone")).toContain("\nCreated fresh repository.\n");
  expect(trace("clone")).toContain("\nmark []\n");
  expect(trace("clone")).toContain("\nas committed\n");
});

test("empty is an empty folder of its own", () => {
  expect(listing("empty")).toBe("of git-strategy-empty");
});

test("a strategy that does not exist is a warning, and the project's own strategy is taken", () => {
  expect(trace("nonsense")).toMatch(/\nWARNING: GIT_STRATEGY: expected .* got "shallow"/);
  expect(trace("nonsense")).toContain("\nas committed\n");
});
