import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { openJobContainer } from "../../src/agent/job-container.ts";

const boot = readFileSync(new URL("../../src/agent/boot.sh", import.meta.url), "utf8");
const shells = [
  ["dash", ["/bin/dash", "-c", boot]],
  ["bash", ["/bin/bash", "-c", boot]],
  ["busybox ash", ["/bin/busybox", "ash", "-c", boot]],
].filter(([, argv]) => existsSync(argv![0]!)) as [string, string[]][];

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean();
});

async function start(argv: readonly string[], early = false) {
  const folder = mkdtempSync(join(tmpdir(), "burst-boot-"));
  const cookie = `c${Math.random().toString(36).slice(2)}`;
  let text = "";
  const launch = () =>
    spawn(argv[0]!, argv.slice(1), {
      env: { PATH: process.env["PATH"], BURST_CONTROL: folder, BURST_COOKIE: cookie },
      stdio: ["ignore", "inherit", "inherit"],
      detached: true,
    });
  let child = early ? launch() : undefined;
  if (early) await new Promise((resolve) => setTimeout(resolve, 150));
  const container = await openJobContainer(folder, (bytes) => {
    text += Buffer.from(bytes).toString("utf8");
  });
  child ??= launch();
  const ended = new Promise<number | null>((resolve) => child.on("exit", (code) => resolve(code)));
  cleanups.push(() => {
    try {
      process.kill(-child.pid!, "SIGKILL");
    } catch {
      // Gone already.
    }
    rmSync(folder, { recursive: true, force: true });
  });
  return { container, child, ended, cookie, output: () => text };
}

function carriers(cookie: string): string[] {
  const { readdirSync } = require("node:fs") as typeof import("node:fs");
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, "latin1").includes(cookie);
    } catch {
      return false;
    }
  });
}

test.each(shells)("under %s a stage's output and status arrive whole", async (_name, argv) => {
  const { container, ended, output } = await start(argv);
  expect(await container.state).toMatchObject({ kind: "up" });
  expect(await container.run("echo one; echo two >&2; exit 3")).toEqual({ kind: "exit", status: 3 });
  expect(await container.run("echo three")).toEqual({ kind: "exit", status: 0 });
  expect(output()).toBe("one\ntwo\nthree\n");
  await container.quit(1);
  expect(await ended).toBe(0);
});
