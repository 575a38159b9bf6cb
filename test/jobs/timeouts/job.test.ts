import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";
import { archiveOf, artifactTypes } from "../artifact-content.ts";

const { job, trace } = await runFolder(import.meta.url);
const timedOut = { status: "failed", failureReason: "job_execution_timeout" };

test("C62 RUNNER_SCRIPT_TIMEOUT ends the script; after_script and uploads still run", async () => {
  expect(job("script timeout")).toMatchObject(timedOut);
  expect(trace("script timeout")).not.toContain("\nnever\n");
  expect(trace("script timeout")).toContain("\nstatus timedout\n");
  expect(await archiveOf(job("script timeout"))).toEqual({ "kept.txt": "kept\n" });
  expect(trace("script timeout")).toMatch(
    /\nERROR: Job failed: execution took longer than 1s seconds\n$/,
  );
});

test("RUNNER_AFTER_SCRIPT_TIMEOUT ends only the after_script, and the job stays as it was", () => {
  expect(job("after_script timeout").status).toBe("success");
  expect(trace("after_script timeout")).not.toContain("\nnever\n");
  expect(trace("after_script timeout")).toContain("\nWARNING: after_script failed");
});

test("C62 the job's own timeout ends everything: no after_script, no uploads", () => {
  expect(job("job timeout")).toMatchObject(timedOut);
  expect(trace("job timeout")).not.toContain("\nnever\n");
  expect(artifactTypes(job("job timeout"))).toEqual([]);
  expect(trace("job timeout")).toMatch(
    /\nERROR: Job failed: execution took longer than 4s seconds\n$/,
  );
});

test("a timeout that is none, or longer than the job's, is a warning", () => {
  expect(job("odd timeouts").status).toBe("success");
  expect(trace("odd timeouts")).toContain("\nWARNING: RUNNER_SCRIPT_TIMEOUT is ignored");
  expect(trace("odd timeouts")).toContain("\nWARNING: RUNNER_AFTER_SCRIPT_TIMEOUT is longer than");
});
