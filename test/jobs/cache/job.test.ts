import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { job, trace, runner } = await runFolder(import.meta.url);

test("the runner claims to keep caches, fallback keys included", () => {
  const asked = runner.gitlab.requests().find(({ path }) => path === "/api/v4/jobs/request");
  const body: unknown = JSON.parse(asked?.body?.toString() ?? "");
  expect(body).toMatchObject({ info: { features: { cache: true, fallback_cache_keys: true } } });
});

test("the first job finds no cache, is told so, and makes one", () => {
  const text = trace("make");
  expect(text).toContain(
    "\nRestoring cache\nChecking cache for deps-protected...\n" +
      "No URL provided, cache will not be downloaded from shared cache server. " +
      "Instead a local version of cache will be extracted.\n" +
      "WARNING: Cache file does not exist\nWARNING: Failed to extract cache\n",
  );
  expect(text).toContain(
    "\nSaving cache for successful job\nCreating cache deps-protected...\n" +
      "vendor: found 6 matching artifact files and directories\n" +
      "*.lock: found 1 matching artifact files and directories\n" +
      "No URL provided, cache will not be uploaded to shared cache server. " +
      "Cache will be stored only locally.\nCreated cache\n",
  );
  expect(job("make").status).toBe("success");
});

test("the next job has its files, links, modes and empty folders", () => {
  expect(trace("use")).toMatch(
    /\nChecking cache for deps-protected\.\.\.\n.*\nSuccessfully extracted cache\n/,
  );
  expect(trace("use")).toContain("\none\nlocked\nruns\n");
  expect(job("use").status).toBe("success");
});

test("a cache of which no file is newer is left as it is", () => {
  expect(trace("use")).toContain("\nArchive is up to date!\nCreated cache\n");
  expect(trace("change")).not.toContain("up to date");
});

test("a changed cache is made anew, and read whatever format it has", () => {
  expect(trace("change")).toContain("\nCreated cache\n");
  expect(trace("pull only")).toContain("\none\ntwo\nruns\n");
});

test("policy pull, by a variable, fetches and does not keep", () => {
  const text = trace("pull only");
  expect(text).toContain("\nSuccessfully extracted cache\n");
  expect(text).toContain(
    "\nSaving cache for successful job\nNot uploading cache deps-protected due to policy\n",
  );
});

test("policy push keeps and does not fetch", () => {
  const text = trace("push only");
  expect(text).toContain("\nRestoring cache\nNot downloading cache deps-protected due to policy\n");
  expect(text).toContain("\nvendor: found 2 matching artifact files and directories\n");
  expect(text).toContain("\nCreated cache\n");
});

test("any other policy fails the job before its script", () => {
  const text = trace("wrong policy");
  expect(text).not.toContain("runs all the same");
  expect(text).toContain(
    'ERROR: Job failed (system failure): unknown cache policy "sideways" for deps-protected',
  );
  expect(job("wrong policy").failureReason).toBe("runner_system_failure");
});
