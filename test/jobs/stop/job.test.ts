import { existsSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { startFolder, until } from "../../harness/project.ts";

const mark = join(tmpdir(), `burst-stop-${String(process.pid)}`);
afterAll(() => rmSync(mark, { force: true }));
const { job, trace, runner } = await startFolder(import.meta.url, { variables: { MARK: mark } });
await until(() => existsSync(mark));
runner.stop();
await runner.ended;

test("a runner that is told to stop sees its jobs to their ends", () => {
  expect(job("running").status).toBe("success");
  expect(trace("running")).toContain("\nto its end\n");
});

test("and takes no more of them", () => {
  expect(job("waiting").status).toBe("pending");
  expect(runner.events.map(({ event }) => event)).toEqual(["claimed", "started", "success"]);
});
