import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";
import { archiveOf, artifactTypes, reportOf } from "../artifact-content.ts";

const { job, trace } = await runFolder(import.meta.url);

test("C52 a failed script's artifacts are kept only if they are on_failure or always", async () => {
  expect(artifactTypes(job("failed"))).not.toContain("archive");
  expect(await archiveOf(job("failed, on_failure"))).toEqual({ "kept.txt": "kept\n" });
  expect(await archiveOf(job("failed, always"))).toEqual({ "kept.txt": "kept\n" });
  expect(trace("failed, always")).toContain("\nUploading artifacts for failed job\n");
});

test("C52 a report is kept whatever happened", () => {
  expect(reportOf(job("failed"), "junit")).toBe("<testsuites/>\n");
});

test("on_failure keeps nothing of a job that passed", () => {
  expect(job("passed, on_failure")).toMatchObject({ status: "success", artifacts: [] });
  expect(trace("passed, on_failure")).not.toContain("Uploading artifacts");
});

test("an upload changes neither the result nor the exit code of a failed job", () => {
  expect(job("failed, always")).toMatchObject({ status: "failed", exitCode: 1 });
});
