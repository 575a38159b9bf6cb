import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";
import { archiveOf } from "../artifact-content.ts";

const limit = 64 * 1024;
const { job } = await runFolder(import.meta.url, { settings: { output_limit: 64 } });
const bytes = job("talks too much").trace();
const notice =
  `\n\u001B[33;1mJob's log exceeded limit of ${String(limit)} bytes.\n` +
  "Job execution will continue but no more output will be collected.\u001B[0;m\n";

test("C47 at the limit the log ends with a notice, said once, and nothing follows", () => {
  const text = bytes.toString();
  expect(text.split("exceeded limit")).toHaveLength(2);
  expect(text.endsWith(notice)).toBe(true);
  expect(text).not.toMatch(/Job succeeded|nobody reads this/);
});

test("C47 what is kept is cut at the limit, but within no character", () => {
  const kept = bytes.length - Buffer.byteLength(notice);
  expect(kept).toBeLessThanOrEqual(limit);
  expect(kept).toBeGreaterThan(limit - 4);
  expect(bytes.toString()).not.toContain("\uFFFD");
});

test("C47 the job's result is the same as without a limit", async () => {
  expect(job("talks too much").status).toBe("success");
  expect(await archiveOf(job("talks too much"))).toEqual({ "kept.txt": "kept\n" });
});

test("C39 the notice counts in the size and the checksum that GitLab is told", () => {
  const { reported, traceChecksum } = job("talks too much");
  expect(reported).toEqual({ checksum: traceChecksum, bytesize: bytes.length });
});
