import { expect, test } from "vitest";
import { anyRuns, processName, stillRuns } from "../../src/local/process-name.ts";
import { endedProcess, sleeper } from "./processes.ts";

test("a process runs under its name, and not under that of another with its number", async () => {
  const { pid } = await sleeper();
  const name = await processName(pid);
  expect(name).toMatch(new RegExp(`^${String(pid)}@\\d+$`));
  expect(await stillRuns(name)).toBe(true);
  expect(await stillRuns(`${String(pid)}@1`)).toBe(false);
});

test("one that has ended does not run, and has no time of beginning", async () => {
  const pid = endedProcess();
  expect(await processName(pid)).toBe(`${String(pid)}@gone`);
  expect(await stillRuns(`${String(pid)}@5`)).toBe(false);
});

test("somebody else's process is alive too", async () => {
  expect(await stillRuns(await processName(1))).toBe(true);
});

test("of several names one is enough", async () => {
  const gone = `${String(endedProcess())}@5`;
  expect(await anyRuns([gone, await processName(process.pid)])).toBe(true);
  expect(await anyRuns([gone])).toBe(false);
  expect(await anyRuns([])).toBe(false);
});
