import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { cachePath } from "../../../src/agent/cache/cache-path.ts";
import { folderStore } from "../../../src/agent/cache/folder-store.ts";
import type { CacheStore } from "../../../src/agent/cache/store.ts";
import type { CacheAddress } from "../../../src/core/cache.ts";
import { recordingLog, scratch } from "../archive/workshop.ts";

function address(key = "deps"): CacheAddress {
  return { key, objectName: `project/7/${key}`, localName: "" };
}

async function openStore(): Promise<{ readonly store: CacheStore; readonly folder: string }> {
  const folder = join(await scratch(), "not/yet/made");
  return { store: folderStore({ folder, log: recordingLog(), now: Date.now }), folder };
}

async function keep(store: CacheStore, content: string, at = address()): Promise<void> {
  const draft = await store.draft(at);
  await writeFile(draft.file, content, { flag: "wx", mode: 0o600 });
  expect(await draft.keep()).toEqual({ kind: "kept" });
  await draft.discard();
}

async function contentOf(store: CacheStore, at = address()): Promise<string> {
  const found = await store.fetch(at);
  if (found.kind !== "found") return found.kind;
  const content = readFileSync(found.file, "utf8");
  await found.release();
  return content;
}

test("what is kept can be fetched, by its key alone", async () => {
  const { store } = await openStore();
  expect(await contentOf(store)).toBe("missing");
  await keep(store, "first");
  await keep(store, "another key", address("deps/more"));
  expect(await contentOf(store)).toBe("first");
  expect(await contentOf(store, address("deps/more"))).toBe("another key");
  expect(await contentOf(store, address("dep"))).toBe("missing");
});

test("letting go of what was fetched leaves it where it is", async () => {
  const { store } = await openStore();
  await keep(store, "first");
  await contentOf(store);
  expect(await contentOf(store)).toBe("first");
});

test("nobody else can read a cache, or see which there are", async () => {
  const { store, folder } = await openStore();
  await keep(store, "first");
  const path = cachePath(folder, address().objectName);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
});

test("an archive takes its place at once, whole; one that is dropped leaves nothing", async () => {
  const { store, folder } = await openStore();
  await keep(store, "old");
  const draft = await store.draft(address());
  await writeFile(draft.file, "half of the ne");
  expect(await contentOf(store)).toBe("old");
  await draft.discard();
  expect(await contentOf(store)).toBe("old");
  expect(await readdir(dirname(cachePath(folder, address().objectName)))).toEqual(["cache.zip"]);
});

test("many jobs of one key at once: each reads one whole archive or another", async () => {
  const { store, folder } = await openStore();
  const whole = (id: number) => String(id).repeat(30_000);
  await keep(store, whole(0));
  const seen = new Set<string>();
  const write = async (id: number) => {
    for (let round = 0; round < 5; round++) await keep(store, whole(id));
  };
  const read = async () => {
    for (let round = 0; round < 25; round++) {
      const content = await contentOf(store);
      expect(content).toHaveLength(30_000);
      expect(new Set(content).size).toBe(1);
      seen.add(content.slice(0, 1));
    }
  };
  await Promise.all([write(1), write(2), write(3), read(), read()]);
  expect(seen.size).toBeGreaterThan(1);
  expect(await readdir(dirname(cachePath(folder, address().objectName)))).toEqual(["cache.zip"]);
});

test("the time of an archive is when it was made; of one that is distrusted there is none", async () => {
  const { store, folder } = await openStore();
  expect(await store.savedAt(address())).toBeUndefined();
  await keep(store, "first");
  await utimes(cachePath(folder, address().objectName), 1e9, 1e9);
  expect(await store.savedAt(address())).toBe(1e12);
  store.distrust(address());
  expect(await store.savedAt(address())).toBeUndefined();
  expect(await store.savedAt(address("other"))).toBeUndefined();
});

test("what agents that were killed had begun is removed, what is being made is not", async () => {
  const { store, folder } = await openStore();
  const place = cachePath(folder, address().objectName);
  await mkdir(join(dirname(place), "cache.zip.deeper-key"), { recursive: true });
  const names = ["a", "b"].map((c) => `${place}.${c.repeat(8)}-aaaa-aaaa-aaaa-${c.repeat(12)}`);
  for (const name of [...names, `${place}.notes`]) await writeFile(name, "");
  for (const name of [names[0] ?? "", `${place}.notes`]) await utimes(name, 1e9, 1e9);
  await keep(store, "first");
  expect(names.map((name) => existsSync(name))).toEqual([false, true]);
  expect((await readdir(dirname(place))).toSorted()).toEqual([
    "cache.zip",
    `cache.zip.${"b".repeat(8)}-aaaa-aaaa-aaaa-${"b".repeat(12)}`,
    "cache.zip.deeper-key",
    "cache.zip.notes",
  ]);
});

test("a place that cannot be read, or taken, is told without its path", async () => {
  const { store, folder } = await openStore();
  await mkdir(cachePath(folder, address().objectName), { recursive: true });
  await writeFile(join(cachePath(folder, address().objectName), "x"), "");
  expect(await store.fetch(address())).toMatchObject({ kind: "failed" });
  const draft = await store.draft(address());
  await writeFile(draft.file, "new");
  const kept = await draft.keep();
  expect(kept).toMatchObject({ kind: "failed", message: expect.not.stringContaining(folder) });
  await draft.discard();
});
