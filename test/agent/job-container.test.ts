import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { openJobContainer } from "../../src/agent/job-container.ts";
import { carriers } from "../../src/local/own-processes.ts";

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
  const abandon = () => container.abandon();
  return { container, child, ended, cookie, abandon, output: () => text };
}

test.each(shells)("under %s a stage's output and status arrive whole", async (_name, argv) => {
  const { container, ended, output } = await start(argv);
  expect(await container.state).toMatchObject({ kind: "up" });
  expect(await container.run("echo one; echo two >&2; exit 3")).toEqual({
    kind: "exit",
    status: 3,
  });
  expect(await container.run("echo three")).toEqual({ kind: "exit", status: 0 });
  expect(output()).toBe("one\ntwo\nthree\n");
  await container.quit(1);
  expect(await ended).toBe(0);
});

test.each(shells)("under %s boot waits for an agent that comes later", async (_name, argv) => {
  const { container, output } = await start(argv, true);
  expect(await container.run("echo late")).toEqual({ kind: "exit", status: 0 });
  expect(output()).toBe("late\n");
  await container.quit(1);
});

test.each(shells)(
  "under %s a cancel ends what ignores TERM, and what left the process group, but not boot",
  async (_name, argv) => {
    const { container, cookie, output } = await start(argv);
    const stage = container.run(
      "trap '' TERM; setsid sleep 300 & (trap '' TERM; while :; do sleep 300; done) & echo going; wait; sleep 300",
    );
    await until(() => output().includes("going"));
    container.cancel(0);
    expect(await stage).toMatchObject({ kind: "exit" });
    // The dispatcher answers only when all but boot and itself are gone.
    expect(await container.run("echo after")).toEqual({ kind: "exit", status: 0 });
    expect((await carriers(cookie)).length).toBeLessThanOrEqual(3);
    await container.quit(0);
    expect(await carriers(cookie)).toEqual([]);
  },
);

test.each(shells)(
  "under %s a daemon does not keep a stage open, and ends with the job",
  async (_name, argv) => {
    const { container, cookie, ended } = await start(argv);
    expect(await container.run("setsid sleep 300 >/dev/null 2>&1 & echo up")).toMatchObject({
      status: 0,
    });
    expect(await container.run("sleep 301 & echo held open")).toMatchObject({ status: 0 });
    await container.quit(0);
    await ended;
    expect(await carriers(cookie)).toEqual([]);
  },
);

test.each(shells)(
  "under %s boot and all it started end when the agent dies",
  async (_name, argv) => {
    const { container, cookie, ended, abandon } = await start(argv);
    void container.run("sleep 300");
    await container.state;
    await new Promise((resolve) => setTimeout(resolve, 100));
    abandon();
    await ended;
    expect(await carriers(cookie)).toEqual([]);
  },
);

test("a stage whose boot is killed is reported as gone", async () => {
  const { container, child } = await start(shells[0]![1]);
  await container.state;
  const stage = container.run("echo here; sleep 300");
  setTimeout(() => process.kill(-child.pid!, "SIGKILL"), 100);
  expect(await stage).toEqual({ kind: "gone" });
});

test("truncating /dev/stderr does not destroy earlier output", async () => {
  const { container, output } = await start(shells[0]![1]);
  await container.run("echo one; echo two > /dev/stderr; echo three");
  expect(output()).toBe("one\ntwo\nthree\n");
});

test("a forged end mark and forged events change neither output nor status", async () => {
  const { container, output } = await start(shells[0]![1]);
  const forged = "printf '\\000burst-end 00000000000000000000000000000000\\000'";
  const exit = await container.run(`${forged}; echo tail; exit 7`);
  expect(exit).toEqual({ kind: "exit", status: 7 });
  expect(output()).toBe(`\0burst-end ${"0".repeat(32)}\0tail\n`);
});

test("a control folder prepared with a link in place of a FIFO is not written through", async () => {
  const folder = mkdtempSync(join(tmpdir(), "burst-boot-"));
  const target = join(folder, "target");
  symlinkSync(target, join(folder, "out"));
  const container = await openJobContainer(folder, () => undefined);
  expect(existsSync(target)).toBe(false);
  container.abandon();
  rmSync(folder, { recursive: true });
});

test("ten megabytes of output arrive whole and in order", async () => {
  const { container, output } = await start(shells[0]![1]);
  await container.run("seq 1 1500000");
  const lines = output().split("\n");
  expect(lines.length).toBe(1_500_001);
  expect(lines.every((line, index) => line === "" || Number(line) === index + 1)).toBe(true);
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}
