import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { job, trace, runner } = await runFolder(import.meta.url);

test("a job that asks for a cache runs, and no cache stage is shown that did nothing", () => {
  expect(job("with a cache").status).toBe("success");
  expect(trace("with a cache")).not.toMatch(/Restoring cache|Saving cache/);
});

test("the runner does not claim to keep caches", () => {
  const asked = runner.gitlab.requests().find(({ path }) => path === "/api/v4/jobs/request");
  const body: unknown = JSON.parse(asked?.body?.toString() ?? "");
  expect(body).toMatchObject({ info: { features: { cache: false, fallback_cache_keys: false } } });
});
