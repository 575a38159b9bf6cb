// A tar of ours against the system's tar, both ways: each must read what the other wrote.

import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  lstatSync,
  lutimesSync,
  readFileSync,
  readlinkSync,
  statSync,
  utimesSync,
} from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { extractTarZstd } from "../../../src/agent/archive/tar-extract.ts";
import { writeTarZstd } from "../../../src/agent/archive/tar-writer.ts";
import { plainZstd } from "./plain-zstd.ts";
import { chosen, never, plant, recordingLog, scratch } from "./workshop.ts";

interface Place {
  readonly root: string;
  readonly from: string;
  readonly to: string;
}

async function place(): Promise<Place> {
  const root = await scratch();
  const [from, to] = [join(root, "from"), join(root, "to")];
  await mkdir(from);
  await mkdir(to);
  return { root, from, to };
}

/** Everything in `from`, as a tar without compression. */
async function pack({ root, from }: Place): Promise<string> {
  const file = join(root, "packed.tar");
  const log = recordingLog();
  const entries = await chosen(from);
  const size = await writeTarZstd({
    projectDir: from,
    entries,
    level: 3,
    zstd: plainZstd,
    file,
    log,
    signal: never,
  });
  expect(size).toBe(statSync(file).size);
  expect(log.lines).toEqual([]);
  return file;
}

async function unpack({ to }: Place, file: string): Promise<readonly string[]> {
  const log = recordingLog();
  await extractTarZstd({ file, projectDir: to, log, signal: never }, plainZstd);
  return log.lines;
}

const long = `${"deep-folder/".repeat(20)}${"n".repeat(200)}.txt`;

/** What is hard about names, links, modes and times. */
async function plantAll({ from }: Place): Promise<void> {
  await plant(from, {
    "a/run.sh": "#!/bin/sh\n",
    "a/empty": "",
    "hollow/": "",
    [long]: "deep",
    "käse-😀\n.txt": "k",
    "back\\slash": "b",
    link: { to: "a/run.sh" },
    "far-link": { to: `${"x/".repeat(80)}y` },
    "a/up": { to: "../link" },
    "exactly-512": Buffer.alloc(512, 1),
    large: randomBytes(700_001),
  });
  chmodSync(join(from, "a/run.sh"), 0o755);
  chmodSync(join(from, "a"), 0o750);
  for (const name of ["a/run.sh", "hollow", long]) utimesSync(join(from, name), 1e9, 1e9);
  lutimesSync(join(from, "link"), 1e9, 1e9);
}

function check({ from, to }: Place): void {
  for (const name of ["a/run.sh", "a/empty", long, "käse-😀\n.txt", "back\\slash", "exactly-512"]) {
    expect([name, readFileSync(join(to, name))]).toEqual([name, readFileSync(join(from, name))]);
  }
  expect(readFileSync(join(to, "large")).equals(readFileSync(join(from, "large")))).toBe(true);
  for (const name of ["link", "far-link", "a/up"]) {
    expect([name, readlinkSync(join(to, name))]).toEqual([name, readlinkSync(join(from, name))]);
  }
  expect(statSync(join(to, "a/run.sh")).mode & 0o777).toBe(0o755);
  expect(statSync(join(to, "a")).mode & 0o777).toBe(0o750);
  for (const name of ["a/run.sh", "hollow", long, "link"]) {
    expect([name, lstatSync(join(to, name)).mtimeMs]).toEqual([name, 1e12]);
  }
}

test("what we pack, tar unpacks", async () => {
  const at = await place();
  await plantAll(at);
  execFileSync("tar", ["-xpf", await pack(at), "-C", at.to]);
  check(at);
});

test.each(["gnu", "pax", "ustar"])("what tar packs as %s, we unpack", async (format) => {
  const at = await place();
  await plantAll(at);
  const file = join(at.root, "theirs.tar");
  // The oldest form has no room for the longest name.
  const without = format === "ustar" ? [`--exclude=*${"n".repeat(200)}.txt`] : [];
  const farLink = format === "ustar" ? ["--exclude=./far-link"] : [];
  execFileSync("tar", [`--format=${format}`, ...without, ...farLink, "-cf", file, "."], {
    cwd: at.from,
  });
  expect(await unpack(at, file)).toEqual([]);
  if (format !== "ustar") check(at);
  else expect(readFileSync(join(at.to, "a/run.sh"), "utf8")).toBe("#!/bin/sh\n");
});

test("many files of all sizes come back byte for byte", async () => {
  const at = await place();
  const files: Record<string, Buffer> = {};
  for (let i = 0; i < 300; i++) files[`d${i % 7}/f${i}`] = randomBytes((i * 7919) % 90_000);
  await plant(at.from, files);
  expect(await unpack(at, await pack(at))).toEqual([]);
  const same = Object.entries(files).map(async ([name, content]) =>
    (await readFile(join(at.to, name))).equals(content),
  );
  expect(await Promise.all(same)).toEqual(same.map(() => true));
});

test("a file that is gone, or something else by now, is left out", async () => {
  const at = await place();
  await plant(at.from, { "a/file": "a", keep: "k", pipe: "p" });
  const entries = await chosen(at.from);
  execFileSync("rm", ["-r", join(at.from, "a"), join(at.from, "pipe")]);
  execFileSync("mkfifo", [join(at.from, "pipe")]);
  const file = join(at.root, "packed.tar");
  const log = recordingLog();
  const order = { projectDir: at.from, entries, level: 3, zstd: plainZstd, file, log };
  await writeTarZstd({ ...order, signal: never });
  expect(log.lines).toHaveLength(3);
  expect(log.lines[0]).toMatch(/^WARNING: File ignored: a: no such file any more/);
  await unpack(at, file);
  expect(readFileSync(join(at.to, "keep"), "utf8")).toBe("k");
});

test("a tar of nothing unpacks to nothing", async () => {
  const at = await place();
  expect(await unpack(at, await pack(at))).toEqual([]);
});

test("an abort ends packing, and unpacking", async () => {
  const at = await place();
  await plant(at.from, { file: "f" });
  const file = await pack(at);
  const signal = AbortSignal.abort(new Error("stopped"));
  const log = recordingLog();
  const unpacking = extractTarZstd({ file, projectDir: at.to, log, signal }, plainZstd);
  await expect(unpacking).rejects.toThrow("stopped");
  const entries = await chosen(at.from);
  const order = { projectDir: at.from, entries, level: 3, zstd: plainZstd, log, signal };
  const packing = writeTarZstd({ ...order, file: join(at.root, "again") });
  await expect(packing).rejects.toThrow("stopped");
});

test("what cannot be written names the file", async () => {
  const at = await place();
  await plant(at.from, { "a/file": "f" });
  const file = await pack(at);
  await writeFile(join(at.to, "a"), "a file where a folder should be");
  await expect(unpack(at, file)).rejects.toThrow("a/file: ");
});
