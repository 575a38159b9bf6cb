import { existsSync, lstatSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { extractTarZstd } from "../../../src/agent/archive/tar-extract.ts";
import { makeTar, pax, tarBytes } from "./made-tar.ts";
import type { MadeMember } from "./made-tar.ts";
import { plainZstd } from "./plain-zstd.ts";
import { never, plant, recordingLog, scratch } from "./workshop.ts";

interface Place {
  readonly root: string;
  readonly project: string;
}

async function place(): Promise<Place> {
  const root = await scratch();
  const project = join(root, "project");
  await mkdir(project);
  return { root, project };
}

/** What was warned about. */
async function unpack({ project }: Place, file: string): Promise<readonly string[]> {
  const log = recordingLog();
  await extractTarZstd({ file, projectDir: project, log, signal: never }, plainZstd);
  return log.lines;
}

async function unpackMade(at: Place, members: readonly MadeMember[]): Promise<readonly string[]> {
  return await unpack(at, await makeTar(at.root, members));
}

async function unpackBytes(at: Place, bytes: Uint8Array): Promise<readonly string[]> {
  const file = join(at.root, "made.tar");
  await writeFile(file, bytes);
  return await unpack(at, file);
}

test("the names, sizes and targets of pax and of GNU count before those of the header", async () => {
  const at = await place();
  const lines = await unpackMade(at, [
    pax({ path: "by/pax", mtime: "1000000000.75", size: "3", comment: "says nothing" }),
    { name: "short", content: "abc", size: 3 },
    { name: "././@LongLink", type: "L", content: "by/gnu\0" },
    { name: "short", content: "def" },
    { name: "././@LongLink", type: "K", content: "by/gnu\0" },
    { name: "link", type: "2", target: "short" },
    { name: "pax_global_header", type: "g", content: "13 path=evil\n" },
    { name: "file", prefix: "by/prefix", content: "ghi" },
  ]);
  expect(lines).toEqual([]);
  expect(readFileSync(join(at.project, "by/pax"), "utf8")).toBe("abc");
  expect(statSync(join(at.project, "by/pax")).mtimeMs).toBe(1e12);
  expect(readFileSync(join(at.project, "by/gnu"), "utf8")).toBe("def");
  expect(readlinkSync(join(at.project, "link"))).toBe("by/gnu");
  expect(readFileSync(join(at.project, "by/prefix/file"), "utf8")).toBe("ghi");
  expect(existsSync(join(at.project, "short"))).toBe(false);
});

test("a size may be binary, as GNU writes large ones", async () => {
  const at = await place();
  const size = Buffer.alloc(12);
  size[0] = 0x80;
  size[11] = 3;
  await unpackMade(at, [{ name: "file", content: "abc", size }]);
  expect(readFileSync(join(at.project, "file"), "utf8")).toBe("abc");
});

test("what is there already is replaced, not written into", async () => {
  const at = await place();
  await plant(at.root, { "project/file": "old", "project/link": { to: "../victim" }, victim: "v" });
  await unpackMade(at, [
    { name: "file", content: "new" },
    { name: "link", content: "now a file" },
  ]);
  expect(readFileSync(join(at.project, "file"), "utf8")).toBe("new");
  expect(lstatSync(join(at.project, "link")).isFile()).toBe(true);
  expect(readFileSync(join(at.root, "victim"), "utf8")).toBe("v");
});

describe("a name that leads out refuses the archive", () => {
  test.each(["../evil", "a/../../evil", "/evil", ".."])("%j", async (name) => {
    const at = await place();
    const unpacking = unpackMade(at, [{ name, content: "x" }]);
    await expect(unpacking).rejects.toThrow(/the archive cannot be unpacked: .* leads out/);
    expect(existsSync(join(at.root, "evil"))).toBe(false);
  });

  test("by pax", async () => {
    const at = await place();
    const unpacking = unpackMade(at, [pax({ path: "../evil" }), { name: "good", content: "x" }]);
    await expect(unpacking).rejects.toThrow("leads out");
    expect(existsSync(join(at.root, "evil"))).toBe(false);
  });
});

test("a link out of the project is not made, and nothing is written through one", async () => {
  const at = await place();
  await plant(at.root, { "elsewhere/": "" });
  const lines = await unpackMade(at, [
    { name: "out", type: "2", target: "../elsewhere" },
    { name: "far", type: "2", target: "/etc" },
    { name: "out/evil", content: "x" },
  ]);
  expect(lines).toEqual([
    "WARNING: out -> ../elsewhere: not made, the link leads out of the project",
    "WARNING: far -> /etc: not made, the link leads out of the project",
  ]);
  expect(existsSync(join(at.root, "elsewhere/evil"))).toBe(false);
});

test("a link out that is there already refuses what lies behind it", async () => {
  const at = await place();
  await plant(at.root, { "elsewhere/": "", "project/out": { to: "../elsewhere" } });
  await expect(unpackMade(at, [{ name: "out/evil", content: "x" }])).rejects.toThrow("out/evil");
  await expect(
    unpackMade(at, [{ name: "out/evil", content: "x".repeat(100_000) }]),
  ).rejects.toThrow("out/evil");
  expect(existsSync(join(at.root, "elsewhere/evil"))).toBe(false);
});

test("hard links, devices, FIFOs and sparse files are left out, and said", async () => {
  const at = await place();
  const lines = await unpackMade(at, [
    { name: "hard", type: "1", target: "/etc/passwd" },
    { name: "pipe", type: "6" },
    { name: "disk", type: "4" },
    pax({ "GNU.sparse.major": "1" }),
    { name: "holes", content: "map and data" },
    { name: "good", content: "g" },
  ]);
  expect(lines.map((line) => line.split(": ").slice(0, 3).join(": "))).toEqual([
    "WARNING: File ignored: hard",
    "WARNING: File ignored: pipe",
    "WARNING: File ignored: disk",
    "WARNING: File ignored: holes",
  ]);
  expect(existsSync(join(at.project, "hard"))).toBe(false);
  expect(readFileSync(join(at.project, "good"), "utf8")).toBe("g");
});

test("set-user-id and the like do not come out of an archive", async () => {
  const at = await place();
  await unpackMade(at, [{ name: "tool", content: "t", mode: 0o6755 }]);
  expect(statSync(join(at.project, "tool")).mode & 0o7777).toBe(0o755);
});

describe("what is damaged is refused", () => {
  const whole = [{ name: "file", content: "x".repeat(2000) }];
  test.each([
    ["a header", tarBytes([{ name: "file", content: "x", badSum: true }])],
    ["not a tar", Buffer.alloc(4096, "no tar at all")],
    ["an end in a header", tarBytes(whole).subarray(0, 300)],
    ["an end in a content", tarBytes(whole).subarray(0, 1200)],
    ["an end before the end", tarBytes(whole, Buffer.alloc(0))],
    ["a pax record", tarBytes([{ name: "pax", type: "x", content: "99 path=x\n" }, ...whole])],
    ["a size", tarBytes([pax({ size: "-1" }), ...whole])],
    ["an endless header", tarBytes([{ name: "pax", type: "x", size: 2 ** 31 }])],
    ["a long link", tarBytes([pax({ linkpath: "l".repeat(5000) }), { name: "l", type: "2" }])],
  ])("%s", async (_what, bytes) => {
    const at = await place();
    await expect(unpackBytes(at, bytes)).rejects.toThrow("the archive cannot be unpacked");
  });
});

test("parts of .git are unpacked with a warning", async () => {
  const at = await place();
  expect(await unpackMade(at, [{ name: ".git/hooks/x", content: "x" }])).toEqual([
    "WARNING: Part of .git directory is on the list of files to extract",
    "WARNING: This may introduce unexpected problems",
  ]);
});
