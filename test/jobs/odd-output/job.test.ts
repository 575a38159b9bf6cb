import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { job, trace, requests } = await runFolder(import.meta.url);

test("bytes that are no UTF-8 become replacement characters, a character in two writes stays one", () => {
  expect(job("bytes").status).toBe("success");
  expect(trace("bytes")).toMatch(/\nlatin1 \uFFFD+ and cut \uFFFD+\n/);
  expect(trace("bytes")).toContain("\nsplit € here\n");
});

test("the log is valid UTF-8 whatever was printed, and colours of the job's own stay", () => {
  const bytes = job("bytes").trace();
  expect(new TextDecoder("utf-8", { fatal: true }).decode(bytes)).toContain("\u001B[31mred");
  expect(job("bytes").reported.checksum).toBe(job("bytes").traceChecksum);
});

test("C33 a long log comes whole, in order, in pieces of 1 MiB at most", () => {
  const wanted = Array.from({ length: 300_000 }, (_, index) => index + 1).join("\n");
  expect(trace("a lot").includes(`\n${wanted}\n$ echo "the end"\nthe end\n`)).toBe(true);
  const sizes = requests("a lot", "PATCH").map(({ body }) => body?.length ?? 0);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(1024 * 1024);
  expect(Math.min(...sizes)).toBeGreaterThan(0);
});
