import { existsSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { startFolder, until } from "../../harness/project.ts";

const mark = join(tmpdir(), `burst-interrupt-${String(process.pid)}`);
afterAll(() => rmSync(mark, { force: true }));
const { job, trace, runner } = await startFolder(import.meta.url, { variables: { MARK: mark } });
await until(() => existsSync(mark));
runner.stop();
runner.interrupt();
await runner.ended;

test("a runner that is told to stop twice ends its jobs, and GitLab hears why", () => {
  expect(job("running")).toMatchObject({ status: "failed", failureReason: "runner_interrupted" });
  expect(trace("running")).toMatch(/\nERROR: Job failed: the runner was told to stop\n$/);
  const [last] = runner.events.slice(-1);
  expect(last).toMatchObject({ event: "failed", failureReason: "runner_interrupted" });
});

test("nothing of the job runs after that", () => {
  expect(trace("running")).not.toContain("\nnever\n");
  expect(job("running").artifacts).toEqual([]);
});
