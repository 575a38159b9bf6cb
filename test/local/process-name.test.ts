import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
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

test.runIf(existsSync("/proc/self/stat"))(
  "one that is dead, and whose parent never asks how it ended, does not run",
  async () => {
    const parent = spawn("sh", ["-c", "sleep 0.3 & echo $!; exec sleep 30"], { stdio: "pipe" });
    try {
      const pid = Number(String((await once(parent.stdout, "data"))[0]));
      const name = await processName(pid);
      await expect.poll(() => stillRuns(name), { timeout: 10_000 }).toBe(false);
      expect(existsSync(`/proc/${String(pid)}`)).toBe(true);
    } finally {
      parent.kill("SIGKILL");
    }
  },
);

test("somebody else's process is alive too", async () => {
  expect(await stillRuns(await processName(1))).toBe(true);
});

test("of several names one is enough", async () => {
  const gone = `${String(endedProcess())}@5`;
  expect(await anyRuns([gone, await processName(process.pid)])).toBe(true);
  expect(await anyRuns([gone])).toBe(false);
  expect(await anyRuns([])).toBe(false);
});
