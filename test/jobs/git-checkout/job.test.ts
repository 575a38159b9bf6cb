import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { job, trace } = await runFolder(import.meta.url, { concurrent: 1 });

test("GIT_CLEAN_FLAGS says what of an earlier job may stay", () => {
  expect(trace("keeps some")).toContain("\nbuild:\nobject.o\n");
  expect(trace("keeps some")).toMatch(/\nls: .*other\.txt.*: No such file or directory\n/);
  expect(trace("cleans nothing")).toContain("\nobject.o\n");
});

test("GIT_CHECKOUT=false fetches and leaves the checkout to the script", () => {
  expect(trace("no checkout")).toContain("\nFetching changes with git depth set to 20...\n");
  expect(trace("no checkout")).toContain("\nSkipping Git checkout\n");
  expect(trace("no checkout")).toContain("\nobject.o\n");
  expect(trace("no checkout")).toContain("\nthe file\n");
  expect(job("no checkout").status).toBe("success");
});
