import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { job, trace } = await runFolder(import.meta.url);

test("a failed job keeps the caches that are for failures and for always", () => {
  const text = trace("fails");
  expect(text).toContain("\nSaving cache for failed job\nCreating cache failure-protected...\n");
  expect(text).toContain("\nCreating cache always-protected...\n");
  expect(text).not.toContain("Creating cache success-protected");
  expect(job("fails")).toMatchObject({ status: "failed", exitCode: 3 });
});

test("untracked keeps what git does not know, ignored files and after_script's included", () => {
  expect(trace("fails")).toContain("\nuntracked: found 5 files\n");
  const listed = trace("look").split("$ ls\n")[1]?.split("\n") ?? [];
  expect(listed.slice(0, listed.indexOf("Saving cache for successful job"))).toEqual([
    "README.md",
    "failure",
    "from-after-script.txt",
    "job.test.ts",
    "log.ignored",
    "new.txt",
    "success",
  ]);
});

test("a job that succeeds keeps the caches that are for success and for always", () => {
  const text = trace("look");
  expect(text).toContain(
    "\nSaving cache for successful job\nCreating cache success-protected...\n",
  );
  expect(text).not.toContain("Creating cache failure-protected");
  expect(text).toContain("\nCreating cache always-protected...\n");
});
