import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";
import { archiveOf } from "../artifact-content.ts";

const { job, trace, requests } = await runFolder(import.meta.url, {
  standIn: { artifactLimitBytes: 4000 },
  prepare: (gitlab) =>
    gitlab.addFault({ match: "POST /api/v4/jobs/2/artifacts", times: 2, status: 500 }),
});

test("C53 artifacts that GitLab does not take fail a job that was good so far", () => {
  const failed = { status: "failed", failureReason: "script_failure", exitCode: 1 };
  expect(job("too large")).toMatchObject(failed);
  expect(trace("too large")).toMatch(/\nERROR: Uploading artifacts .* 413 /);
  expect(trace("too large")).toMatch(/\nERROR: Job failed: exit code 1\n$/);
});

test("a failed script keeps its own exit code", () => {
  expect(job("failed anyway")).toMatchObject({ status: "failed", exitCode: 5 });
});

test("trouble that passes is waited out, and the whole archive sent again", async () => {
  expect(requests("through trouble", "POST").map(({ status }) => status)).toEqual([500, 500, 201]);
  expect(await archiveOf(job("through trouble"))).toEqual({ "small.txt": "small\n" });
  expect(job("through trouble").status).toBe("success");
});
