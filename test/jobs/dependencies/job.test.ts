import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { job, trace, requests, pipeline } = await runFolder(import.meta.url);

test("a job gets the artifacts of all jobs of earlier stages", () => {
  expect(pipeline.status).toBe("success");
  const text = trace("gets all");
  expect(text).toContain(`\nDownloading artifacts for a (${job("a").id})...\n`);
  expect(text).toContain(`\nDownloading artifacts for b (${job("b").id})...\n`);
  expect(text).toContain("\na.txt\nb.txt\n");
  expect(text).toContain("\na\nb\n");
});

test("dependencies and needs narrow that down", () => {
  expect(trace("gets one")).toContain('|| echo "no files"\nb.txt\n');
  expect(trace("needs one")).toContain('|| echo "no files"\na.txt\n');
  expect(trace("gets none")).toContain("\nno files\n");
  expect(trace("gets none")).not.toContain("Downloading artifacts");
});

test("C56 a job that kept no artifacts is not asked for any", () => {
  expect(requests("no artifacts", "GET")).toEqual([]);
  expect(trace("gets all")).not.toContain("no artifacts");
});

test("C30 artifacts are fetched with the token of the job that wants them, by direct download", () => {
  const [download] = requests("b", "GET");
  expect(download?.query["direct_download"]).toBe("true");
  const tokens = ["gets all", "gets one"].map((name) => job(name).token);
  expect(tokens).toContain(download?.headers["job-token"]);
});
