import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { job, pipeline } = await runFolder(import.meta.url);

test("GitLab hears the exit code, and so can let a failure with that code pass", () => {
  expect(job("known exit code")).toMatchObject({ status: "failed", exitCode: 137 });
  expect(job("known exit code").allowFailure).toBe(true);
  expect(job("later stage").status).toBe("success");
  expect(pipeline.status).toBe("success");
});
