import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";
import { artifactTypes } from "../artifact-content.ts";

const { job, trace } = await runFolder(import.meta.url, {
  prepare: (gitlab) => gitlab.addFault({ match: "GET /api/v4/jobs/1/artifacts", status: 404 }),
});

test("C56 artifacts that GitLab no longer has fail the job before its script", () => {
  const failed = { status: "failed", failureReason: "script_failure", exitCode: 1 };
  expect(job("use")).toMatchObject(failed);
  expect(trace("use")).toMatch(/\nERROR: Downloading artifacts .* 404 not found/);
  expect(trace("use")).not.toContain("\nnever\n");
});

test("what a failed job keeps is kept all the same", () => {
  expect(artifactTypes(job("use"))).toEqual(["archive"]);
});
