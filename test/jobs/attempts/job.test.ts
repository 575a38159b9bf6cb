import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { job, trace } = await runFolder(import.meta.url, {
  prepare: (gitlab) => {
    gitlab.addFault({ match: "GET /root/attempts.git/", status: 500, times: 1 });
    gitlab.addFault({ match: "GET /api/v4/jobs/1/artifacts", status: 404, times: 1 });
  },
});

test("GET_SOURCES_ATTEMPTS fetches again what could not be had", () => {
  expect(trace("sources")).toContain("returned error: 500");
  expect(trace("sources")).toContain("\nthe file\n");
  expect(job("sources").status).toBe("success");
});

test("ARTIFACT_DOWNLOAD_ATTEMPTS asks again for what was refused", () => {
  expect(trace("artifacts")).toMatch(
    /\nERROR: Downloading artifacts from coordinator\.\.\. 404 not found .*\nWARNING: Retrying to download artifacts \(attempt 2\/2\)\.\.\.\n/,
  );
  expect(trace("artifacts")).toMatch(/\nDownloading artifacts from coordinator\.\.\. ok .*\n/);
  expect(trace("artifacts")).toContain("\nmade\n");
  expect(job("artifacts").status).toBe("success");
});

test("RESTORE_CACHE_ATTEMPTS looks again where it could not look; then the job goes on without", () => {
  const lines = trace("caches").split("\n");
  const tries = lines.filter((line) => line === "Checking cache for deps-protected...");
  expect(tries).toHaveLength(2);
  expect(lines).toContain("WARNING: Retrying cache extraction (attempt 2/2)...");
  expect(trace("caches")).toMatch(/\nWARNING: ELOOP: .*\nWARNING: Failed to extract cache\n/);
  expect(lines).toContain("without it");
  expect(job("caches").status).toBe("success");
});

test("so many attempts that nobody would wait for fail the job before its script", () => {
  expect(trace("too many")).toContain("RESTORE_CACHE_ATTEMPTS must be a number from 1 to 10");
  expect(trace("too many")).not.toContain("\nnever\n");
  expect(job("too many")).toMatchObject({ status: "failed", failureReason: "script_failure" });
});
