import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import {
  abandonedFootprints,
  eraseFootprint,
  makeScratch,
  recordFootprint,
} from "../../src/local/footprint.ts";
import { jobCookie } from "../../src/local/own-processes.ts";
import { ownTmpdir } from "./own-tmpdir.ts";
import { endedProcess, isRunning, sleeper } from "./processes.ts";

ownTmpdir();

const jobId = 7;

async function newFootprint() {
  const scratch = await makeScratch(jobId);
  const beside = mkdtempSync(join(tmpdir(), "burst-beside-"));
  mkdirSync(join(beside, "project.tmp"));
  onTestFinished(() => {
    for (const folder of [scratch, beside]) rmSync(folder, { recursive: true, force: true });
  });
  const cookies = [Math.random().toString(36).slice(2)];
  return { scratch, folders: [join(beside, "project.tmp")], cookies };
}

test("a job's folder is our own user's alone", async () => {
  const { scratch } = await newFootprint();
  expect((statSync(scratch).mode & 0o777).toString(8)).toBe("700");
});

test("what a living process owns is not abandoned", async () => {
  await recordFootprint(await newFootprint(), [endedProcess(), process.pid]);
  expect(await abandonedFootprints()).toEqual([]);
});

test("what nobody owns any more is found again as it was written down", async () => {
  const footprint = await newFootprint();
  await recordFootprint(footprint, [endedProcess()]);
  expect(await abandonedFootprints()).toEqual([footprint]);
});

test("a folder that is only being made is left alone", async () => {
  await newFootprint();
  expect(await abandonedFootprints()).toEqual([]);
});

test("erasing ends the processes and removes the folders", async () => {
  const footprint = await newFootprint();
  const [cookie = ""] = footprint.cookies;
  const daemon = await sleeper({ [jobCookie]: cookie });
  const group = await sleeper({}, { detached: true });
  await eraseFootprint(footprint, [group.pid]);
  expect([footprint.scratch, ...footprint.folders].filter(existsSync)).toEqual([]);
  expect([daemon.pid, group.pid].filter(isRunning)).toEqual([]);
  await eraseFootprint(footprint);
});
