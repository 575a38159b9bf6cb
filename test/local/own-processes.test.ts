import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { agentCookie, carriers, jobCookie, killOwn } from "../../src/local/own-processes.ts";
import { isRunning, sleeper } from "./processes.ts";
import { patient } from "../harness/patient.ts";

const newCookie = () => Math.random().toString(36).slice(2);

test("the carriers of a cookie are found, whichever of the two it is, and nobody else", async () => {
  const cookie = newCookie();
  const job = await sleeper({ [jobCookie]: cookie });
  const agent = await sleeper({ [agentCookie]: cookie });
  await sleeper({ [jobCookie]: `${cookie}x` });
  await sleeper({ OTHER: `${jobCookie}=${cookie}` });
  expect((await carriers(cookie)).toSorted()).toEqual([job.pid, agent.pid].toSorted());
});

test("nobody carries a cookie that was never given", async () => {
  expect(await carriers(newCookie())).toEqual([]);
});

test("carriers and groups are ended, and others live on", async () => {
  const cookie = newCookie();
  const carrier = await sleeper({ [jobCookie]: cookie });
  const leader = await sleeper({}, { detached: true });
  const stranger = await sleeper();
  await killOwn([leader.pid], [cookie]);
  expect(isRunning(carrier.pid)).toBe(false);
  expect(isRunning(leader.pid)).toBe(false);
  expect(isRunning(stranger.pid)).toBe(true);
});

test("those that are started while the others are ended are ended too", async () => {
  const cookie = newCookie();
  const script = "while :; do (sleep 300 &) ; sleep 0.01; done";
  const child = spawn("/bin/sh", ["-c", script], {
    env: { PATH: process.env["PATH"], [jobCookie]: cookie },
    stdio: "ignore",
  });
  await expect.poll(async () => (await carriers(cookie)).length, patient).toBeGreaterThan(3);
  await killOwn([], [cookie]);
  expect(await carriers(cookie)).toEqual([]);
  expect(child.pid !== undefined && isRunning(child.pid)).toBe(false);
});

test("the dead of whom nobody takes note hold nobody up", async () => {
  // Its parent becomes a program that never asks after its children.
  const parent = spawn("/bin/sh", ["-c", "set -m; sleep 0.01 & echo $!; exec sleep 300"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  onTestFinished(() => void parent.kill("SIGKILL"));
  const [said] = (await once(parent.stdout, "data")) as [Buffer];
  const dead = Number(said.toString());
  await expect.poll(() => isRunning(dead), patient).toBe(false);
  expect(existsSync(`/proc/${String(dead)}`)).toBe(true);
  const began = performance.now();
  await killOwn([dead], []);
  expect(performance.now() - began).toBeLessThan(1000);
});
