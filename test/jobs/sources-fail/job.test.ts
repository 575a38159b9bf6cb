import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { job, trace } = await runFolder(import.meta.url, {
  concurrent: 1,
  prepare: (gitlab) =>
    gitlab.addFault({ match: "GET /root/sources-fail.git/", status: 500, times: 2 }),
});

test("sources that cannot be had fail the job before its script, as git says it", () => {
  expect(job("no sources")).toMatchObject({ status: "failed", failureReason: "script_failure" });
  expect(trace("no sources")).toContain("The requested URL returned error: 500");
  expect(trace("no sources")).not.toContain("\nnever\n");
});

test("what a failed job keeps is looked for all the same", () => {
  expect(trace("no sources")).toContain("\nUploading artifacts for failed job\n");
});

test("GET_SOURCES_ATTEMPTS tries again", () => {
  expect(trace("second try")).toContain("returned error: 500");
  expect(trace("second try")).toContain("\nthe file\n");
  expect(job("second try").status).toBe("success");
});
