import { chmodSync, existsSync, lstatSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { mkdir, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findZstd } from "../../../src/agent/archive/zstd.ts";
import { cachePath } from "../../../src/agent/cache/cache-path.ts";
import { folderStore } from "../../../src/agent/cache/folder-store.ts";
import { restoreCaches } from "../../../src/agent/cache/restore.ts";
import type { RestoreInput } from "../../../src/agent/cache/restore.ts";
import { saveCaches } from "../../../src/agent/cache/save.ts";
import type { SaveInput } from "../../../src/agent/cache/save.ts";
import type { CacheStore } from "../../../src/agent/cache/store.ts";
import type { CacheAddress, CacheSave } from "../../../src/core/cache.ts";
import { never, plant, recordingLog, scratch } from "../archive/workshop.ts";

const zstd = await findZstd();
const formats = zstd === undefined ? (["zip"] as const) : (["zip", "tarzstd"] as const);

interface Place {
  readonly project: string;
  readonly folder: string;
}

async function place(): Promise<Place> {
  const root = await scratch();
  const project = join(root, "project");
  await mkdir(project);
  return { project, folder: join(root, "cache") };
}

function address(key: string): CacheAddress {
  return { key, objectName: `project/7/${key}`, localName: "" };
}

function storeAt({ folder }: Place): CacheStore {
  return folderStore({ folder, log: recordingLog(), now: Date.now });
}

function plan(key: string, changes: Partial<Extract<CacheSave, { kind: "save" }>> = {}): CacheSave {
  const some = { paths: ["vendor"], untracked: false, warnings: [] };
  return { kind: "save", address: address(key), ...some, ...changes };
}

/** What the log says. Every job has a store of its own. */
async function save(at: Place, changes: Partial<SaveInput> = {}): Promise<readonly string[]> {
  const log = recordingLog();
  await saveCaches({
    plans: [plan("k")],
    store: storeAt(at),
    projectDir: at.project,
    compression: { format: "zip", level: "fast", lines: [], warnings: [] },
    zstd,
    maxArchiveBytes: 0,
    untracked: () => Promise.resolve([]),
    log,
    signal: never,
    ...changes,
  });
  return log.lines;
}

async function restore(
  at: Place,
  keys: readonly string[] = ["k"],
  changes: Partial<RestoreInput> = {},
): Promise<readonly string[]> {
  const log = recordingLog();
  await restoreCaches({
    plans: [{ kind: "restore", candidates: keys.map(address), warnings: [] }],
    store: storeAt(at),
    projectDir: at.project,
    zstd: findZstd,
    attempts: 1,
    log,
    signal: never,
    sleep: () => Promise.resolve(),
    ...changes,
  });
  return log.lines;
}

async function clear({ project }: Place): Promise<void> {
  await rm(project, { recursive: true });
  await mkdir(project);
}

describe.each(formats)("%s", (format) => {
  const compression = { format, level: "default", lines: [], warnings: [] } as const;

  test("files, links, modes, times and empty folders come back; then nothing is newer", async () => {
    const at = await place();
    await plant(at.project, {
      "vendor/run.sh": "#!/bin/sh\n",
      "vendor/hollow/": "",
      "vendor/link": { to: "run.sh" },
      "vendor/deep/a.txt": "a",
      "other.txt": "not cached",
    });
    chmodSync(join(at.project, "vendor/run.sh"), 0o755);
    await utimes(join(at.project, "vendor/run.sh"), 1e9, 1e9);
    expect((await save(at, { compression })).at(-1)).toBe("info: Created cache");
    await clear(at);

    expect(await restore(at)).toEqual([
      "info: Checking cache for k...",
      "info: Successfully extracted cache",
    ]);
    const run = statSync(join(at.project, "vendor/run.sh"));
    expect([run.mode & 0o777, run.mtimeMs]).toEqual([0o755, 1e12]);
    expect(readlinkSync(join(at.project, "vendor/link"))).toBe("run.sh");
    expect(lstatSync(join(at.project, "vendor/hollow")).isDirectory()).toBe(true);
    expect(readFileSync(join(at.project, "vendor/deep/a.txt"), "utf8")).toBe("a");
    expect(existsSync(join(at.project, "other.txt"))).toBe(false);

    expect((await save(at, { compression })).slice(-2)).toEqual([
      "Archive is up to date!",
      "info: Created cache",
    ]);
  });

  test("the archive is kept under GitLab Runner's name for it, readable by its owner alone", async () => {
    const at = await place();
    await plant(at.project, { "vendor/a": "a" });
    await save(at, { compression });
    const file = cachePath(at.folder, "project/7/k");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const magic = format === "zip" ? "504b0304" : "28b52ffd";
    expect(readFileSync(file).subarray(0, 4).toString("hex")).toBe(magic);
  });

  test("a damaged archive is a warning; the next key is tried; the archive is made anew", async () => {
    const at = await place();
    await plant(at.project, { "vendor/a": "a".repeat(5000) });
    await save(at, { compression, plans: [plan("k"), plan("fallback")] });
    const file = cachePath(at.folder, "project/7/k");
    await writeFile(file, readFileSync(file).subarray(0, 60));
    await clear(at);
    const store = storeAt(at);

    const lines = await restore(at, ["k", "fallback"], { store });
    expect(lines[1]).toMatch(/^WARNING: the archive cannot be unpacked/);
    expect(lines.slice(2)).toEqual([
      "WARNING: Failed to extract cache",
      "info: Checking cache for fallback...",
      "info: Successfully extracted cache",
    ]);
    expect((await save(at, { compression, store })).at(-1)).toBe("info: Created cache");
    await clear(at);
    expect((await restore(at)).at(-1)).toBe("info: Successfully extracted cache");
  });
});

describe("what makes a cache newer than its archive", () => {
  test.each<[string, (vendor: string) => Promise<unknown>]>([
    ["a changed file", (vendor) => writeFile(join(vendor, "a"), "b")],
    ["a new file", (vendor) => writeFile(join(vendor, "new"), "")],
    ["a deleted file", (vendor) => rm(join(vendor, "a"))],
    ["a new folder", (vendor) => mkdir(join(vendor, "new"))],
  ])("%s", async (_what, change) => {
    const at = await place();
    await plant(at.project, { "vendor/a": "a", "vendor/b": "b" });
    await save(at);
    const past = Date.now() / 1000 - 60;
    for (const name of ["vendor/a", "vendor/b", "vendor"]) {
      await utimes(join(at.project, name), past, past);
    }
    expect(await save(at)).toContain("Archive is up to date!");
    await utimes(cachePath(at.folder, "project/7/k"), past + 30, past + 30);
    await change(join(at.project, "vendor"));
    expect(await save(at)).not.toContain("Archive is up to date!");
  });
});

test("several caches are kept, one that fails does not keep the others from it", async () => {
  const at = await place();
  await plant(at.project, { "vendor/a": "a", "b.txt": "b" });
  await mkdir(join(cachePath(at.folder, "project/7/bad"), "in the way"), { recursive: true });
  const lines = await save(at, {
    plans: [plan("bad"), plan("good", { paths: ["*.txt"] })],
  });
  expect(lines.filter((line) => /^(info|WARNING)/.test(line))).toEqual([
    "info: Creating cache bad...",
    expect.stringMatching(/^WARNING: E/),
    "WARNING: Failed to create cache",
    "info: Creating cache good...",
    "info: Created cache",
  ]);
});

test("untracked files are cached as git lists them", async () => {
  const at = await place();
  await plant(at.project, { "vendor/a": "a", "new.txt": "n" });
  const untracked = () => Promise.resolve(["new.txt"]);
  await save(at, { plans: [plan("k", { paths: [], untracked: true })], untracked });
  await clear(at);
  await restore(at);
  expect(await readdir(at.project)).toEqual(["new.txt"]);
});

test("an archive above the runner's limit is not kept, and leaves nothing", async () => {
  const at = await place();
  await plant(at.project, { "vendor/a": "a".repeat(1000) });
  const lines = await save(at, { maxArchiveBytes: 100 });
  expect(lines.at(-1)).toMatch(/^Cache archive size \(\d+\) is too big \(Limit is set to 100\)\./);
  const left = await readdir(at.folder, { recursive: true });
  expect(left.filter((name) => name.includes("cache.zip"))).toEqual([]);
});

test("a cache with no files is a warning, and replaces nothing", async () => {
  const at = await place();
  await plant(at.project, { "vendor/a": "a" });
  await save(at);
  await clear(at);
  expect((await save(at)).at(-1)).toBe("WARNING: No files to cache.");
  expect((await restore(at)).at(-1)).toBe("info: Successfully extracted cache");
});

test("what cannot be reached is tried as often as the job says; what is missing is not", async () => {
  const at = await place();
  const waits: number[] = [];
  let calls = 0;
  const store: CacheStore = {
    ...storeAt(at),
    fetch: () => {
      calls++;
      return Promise.resolve({ kind: "failed", message: "the network is down" });
    },
  };
  const sleep = (milliseconds: number) => {
    waits.push(milliseconds);
    return Promise.resolve();
  };
  const lines = await restore(at, ["k"], { store, attempts: 3, sleep });
  expect(calls).toBe(3);
  expect(waits).toEqual([5000, 10_000]);
  expect(lines.slice(0, 4)).toEqual([
    "info: Checking cache for k...",
    "WARNING: the network is down",
    "WARNING: Failed to extract cache",
    "WARNING: Retrying cache extraction (attempt 2/3)...",
  ]);
  waits.length = 0;
  await restore(at, ["k"], { attempts: 3, sleep });
  expect(waits).toEqual([]);
});

test("a store that breaks is a warning on either way", async () => {
  const at = await place();
  await plant(at.project, { "vendor/a": "a" });
  const broken = () => Promise.reject(new Error("broken"));
  const store: CacheStore = { ...storeAt(at), fetch: broken, draft: broken };
  expect((await restore(at, ["k"], { store })).slice(-2)).toEqual([
    "WARNING: broken",
    "WARNING: Failed to extract cache",
  ]);
  expect((await save(at, { store })).slice(-2)).toEqual([
    "WARNING: broken",
    "WARNING: Failed to create cache",
  ]);
});

test("a cache that is not understood fails the stage before anything is done", async () => {
  const at = await place();
  await plant(at.project, { "vendor/a": "a" });
  const invalid = { kind: "invalid", message: "unknown cache policy" } as const;
  await expect(save(at, { plans: [plan("k"), invalid] })).rejects.toThrow("unknown cache policy");
  await expect(restore(at, ["k"], { plans: [invalid] })).rejects.toThrow("unknown cache policy");
  expect(existsSync(at.folder)).toBe(false);
});

test("an abort is no warning: it ends the stage", async () => {
  const at = await place();
  await plant(at.project, { "vendor/a": "a" });
  await save(at);
  await writeFile(join(at.project, "vendor/a"), "b");
  const signal = AbortSignal.abort(new Error("stopped"));
  await expect(restore(at, ["k"], { signal })).rejects.toThrow("stopped");
  await expect(save(at, { signal })).rejects.toThrow("stopped");
  expect(await readdir(join(at.folder, "project/7/k"))).toEqual(["cache.zip"]);
});

test("a cache in a format that cannot be read here is a warning", async () => {
  const at = await place();
  await mkdir(join(at.folder, "project/7/k"), { recursive: true });
  const file = cachePath(at.folder, "project/7/k");
  await writeFile(file, Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0]));
  const none = () => Promise.resolve(undefined);
  const lines = await restore(at, ["k"], { zstd: none });
  expect(lines[1]).toMatch(/^WARNING: the cache cannot be unpacked: it is packed by zstd/);
  await writeFile(file, Buffer.from([0x1f, 0x8b, 8, 0]));
  expect((await restore(at))[1]).toMatch(/^WARNING: .* packed by gzip/);
  await writeFile(file, "");
  expect((await restore(at))[1]).toMatch(/^WARNING: the archive cannot be unpacked/);
});
