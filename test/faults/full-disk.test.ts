import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { plainText } from "../harness/project.ts";
import { lastLine, openScene } from "../harness/scene.ts";
import type { Scene } from "../harness/scene.ts";
import { smallDisk } from "../harness/small-disk.ts";

const kinds = ["a file system without room", "a limit on the size of files"] as const;
const noRoom = /ENOSPC: no space left on device|EFBIG: file too large/;

async function inScene(body: (scene: Scene) => Promise<void>) {
  const scene = await openScene();
  try {
    await body(scene);
  } finally {
    await scene.close();
  }
}

test.concurrent.each(kinds)(
  "no room for the job's log (%s): the job fails, and its last line says so",
  (kind) =>
    inScene(async (scene) => {
      const scratch = join(scene.home, "scratch");
      const job = await scene.enqueue({
        script: ["seq 1 1000000", "sleep 300"],
        afterScript: ["echo afterwards"],
      });
      const burst = scene.burst({
        prefix: smallDisk(kind, scratch),
        settings: { output_limit: 100_000 },
      });
      const ended = await scene.ended(job);
      expect([ended.status, ended.failureReason]).toEqual(["failed", "runner_system_failure"]);
      expect(lastLine(ended)).toMatch(
        /^ERROR: Job failed \(system failure\): the runner cannot keep the job's log: E/,
      );
      expect(lastLine(ended)).toMatch(noRoom);
      expect(ended.traceSize).toBeGreaterThan(500_000);
      expect(ended.reported).toEqual({ checksum: ended.traceChecksum, bytesize: ended.traceSize });
      expect(await burst.ended).toEqual({ code: 0, signal: null });
      expect(scene.finalUpdates(job)).toHaveLength(1);
      expect(burst.processes()).toEqual([]);
    }),
);

test.concurrent.each(kinds)(
  "no room for what the script writes (%s): the script fails, the job goes its way",
  (kind) =>
    inScene(async (scene) => {
      const job = await scene.enqueue({
        script: ["echo before", "head -c 9000000 /dev/zero > big", "echo not reached"],
        afterScript: ["echo afterwards"],
        variables: [
          {
            key: "FILE",
            value: "x".repeat(5000),
            file: true,
            public: true,
            masked: false,
            raw: false,
          },
        ],
      });
      const builds = join(scene.home, ".burst", "builds");
      const burst = scene.burst({ prefix: smallDisk(kind, builds) });
      const ended = await scene.ended(job);
      expect([ended.status, ended.failureReason]).toEqual(["failed", "script_failure"]);
      expect(ended.exitCode).toBeGreaterThan(0);
      expect(lastLine(ended)).toBe(`ERROR: Job failed: exit code ${String(ended.exitCode)}`);
      expect(plainText(ended.trace())).toMatch(/No space left on device|File size limit exceeded/);
      expect(plainText(ended.trace())).toMatch(/^afterwards$|after_script could not be run: E/m);
      expect(await burst.ended).toEqual({ code: 0, signal: null });
    }),
);

test.concurrent.each(kinds)(
  "no room for the sources (%s): the job fails in get_sources, with git's own words",
  (kind) =>
    inScene(async (scene) => {
      await scene.gitlab.addFiles("big", { "big.txt": randomBytes(4_000_000).toString("hex") });
      const job = await scene.enqueue({ project: "root/big" });
      const builds = join(scene.home, ".burst", "builds");
      const burst = scene.burst({ prefix: smallDisk(kind, builds) });
      const ended = await scene.ended(job);
      expect(ended.status).toBe("failed");
      expect(plainText(ended.trace())).toMatch(/fatal: |error: /);
      expect(lastLine(ended)).toMatch(/^ERROR: Job failed/);
      expect(plainText(ended.trace())).not.toContain("step_script");
      expect(await burst.ended).toEqual({ code: 0, signal: null });
      expect(burst.remains()).toEqual([]);
    }),
);

test.concurrent.each(kinds)(
  "no room to pack the artifacts (%s): the job fails, and says why",
  (kind) =>
    inScene(async (scene) => {
      const scratch = join(scene.home, "scratch");
      const job = await scene.enqueue({
        script: ["for i in 1 2 3 4 5; do head -c 900000 /dev/urandom > kept.$i; done"],
        artifacts: [{ paths: ["kept.*"] }],
      });
      const burst = scene.burst({ prefix: smallDisk(kind, scratch) });
      const ended = await scene.ended(job);
      expect(ended.status).toBe("failed");
      expect(plainText(ended.trace())).toMatch(noRoom);
      expect(lastLine(ended)).toMatch(/^ERROR: Job failed/);
      expect(ended.artifacts).toEqual([]);
      expect(await burst.ended).toEqual({ code: 0, signal: null });
      expect(burst.processes()).toEqual([]);
    }),
);

test.concurrent("no room to write the claim down: GitLab hears it at once", () =>
  inScene(async (scene) => {
    const before = await scene.enqueue();
    await scene.burst().ended;
    expect((await scene.ended(before)).status).toBe("success");
    const job = await scene.enqueue();
    const burst = scene.burst({ prefix: ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh"] });
    const ended = await scene.ended(job);
    expect([ended.status, ended.failureReason]).toEqual(["failed", "runner_system_failure"]);
    expect(lastLine(ended)).toMatch(
      /^ERROR: Job failed \(system failure\): the claim could not be written down: EFBIG/,
    );
    expect(await burst.ended).toEqual({ code: 0, signal: null });
  }));

test.concurrent("nowhere to put the job's folders: it is not started, and GitLab hears why", () =>
  inScene(async (scene) => {
    const file = join(scene.home, "file");
    writeFileSync(file, "");
    const job = await scene.enqueue();
    const burst = scene.burst({ environment: { TMPDIR: file } });
    const ended = await scene.ended(job);
    expect([ended.status, ended.failureReason]).toEqual(["failed", "runner_system_failure"]);
    expect(lastLine(ended)).toMatch(
      /^ERROR: Job failed \(system failure\): the job could not be started: ENOTDIR/,
    );
    expect(await burst.ended).toEqual({ code: 0, signal: null });
  }));
