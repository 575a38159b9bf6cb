import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, lstatSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { mkdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { extractZip } from "../../../src/agent/archive/zip-reader.ts";
import { linkMode, makeZip, patchZip } from "./made-zip.ts";
import type { MadeMember } from "./made-zip.ts";
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
async function unpack(
  { project }: Place,
  file: string,
  signal: AbortSignal = never,
): Promise<readonly string[]> {
  const log = recordingLog();
  await extractZip({ file, projectDir: project, log, signal });
  return log.lines;
}

async function unpackMade(at: Place, members: readonly MadeMember[]): Promise<readonly string[]> {
  return await unpack(at, await makeZip(at.root, members));
}

test("files, empty directories, links, modes and times come back", async () => {
  const at = await place();
  const lines = await unpackMade(at, [
    { name: "a/run.sh", content: "#!/bin/sh\n", mode: 0o100755, deflate: true },
    { name: "hollow/" },
    { name: "a/link", content: "run.sh", mode: linkMode },
    { name: "käse-😀\n.txt", content: "k" },
  ]);
  expect(readFileSync(join(at.project, "a/run.sh"), "utf8")).toBe("#!/bin/sh\n");
  expect(statSync(join(at.project, "a/run.sh")).mode & 0o777).toBe(0o755);
  expect(statSync(join(at.project, "a/run.sh")).mtimeMs).toBe(1_700_000_001_000);
  expect(statSync(join(at.project, "hollow")).isDirectory()).toBe(true);
  expect(readlinkSync(join(at.project, "a/link"))).toBe("run.sh");
  expect(readFileSync(join(at.project, "käse-😀\n.txt"), "utf8")).toBe("k");
  expect(lines).toEqual([]);
});

test("what is there already is replaced, not written into", async () => {
  const at = await place();
  await plant(at.root, {
    "project/file": "old, and longer",
    "project/link": { to: "../victim" },
    victim: "untouched",
  });
  await unpackMade(at, [
    { name: "file", content: "new" },
    { name: "link", content: "now a file" },
  ]);
  expect(readFileSync(join(at.project, "file"), "utf8")).toBe("new");
  expect(lstatSync(join(at.project, "link")).isFile()).toBe(true);
  expect(readFileSync(join(at.root, "victim"), "utf8")).toBe("untouched");
});

describe("a name that leads out refuses the archive", () => {
  test.each(["../evil", "a/../../evil", "/evil", "C:/evil", "a\\..\\evil", "C:\\evil", "a\0b"])(
    "%j",
    async (name) => {
      const at = await place();
      await expect(unpackMade(at, [{ name, content: "x" }])).rejects.toThrow(
        "the archive cannot be unpacked",
      );
      expect(existsSync(join(at.root, "evil"))).toBe(false);
    },
  );
});

describe("links", () => {
  test.each([
    ["beside it", "d/l", "x"],
    ["up and down again", "d/e/l", "../../x/y"],
    ["up to the project itself", "d/l", ".."],
    ["to nothing yet", "l", "not/there/yet"],
  ])("inside the project are made: %s", async (_, name, content) => {
    const at = await place();
    expect(await unpackMade(at, [{ name, content, mode: linkMode }])).toEqual([]);
    expect(readlinkSync(join(at.project, name))).toBe(content);
  });

  test("by an absolute path into the project are made", async () => {
    const at = await place();
    const content = join(at.project, "x");
    await unpackMade(at, [{ name: "l", content, mode: linkMode }]);
    expect(readlinkSync(join(at.project, "l"))).toBe(content);
  });

  test.each([
    ["absolute", "d/l", "/etc/passwd"],
    ["too far up", "d/l", "../../x"],
    ["up behind a name that may be a link", "d/l", "e/../../.."],
    ["empty", "l", ""],
  ])("out of the project are left out, and that is said: %s", async (_, name, content) => {
    const at = await place();
    const lines = await unpackMade(at, [{ name, content, mode: linkMode }, { name: "f" }]);
    expect(lines).toEqual([
      `WARNING: ${name} -> ${content}: not made, the link leads out of the project`,
    ]);
    expect(existsSync(join(at.project, "f"))).toBe(true);
    expect(() => lstatSync(join(at.project, name))).toThrow("ENOENT");
  });

  test("are judged where they really are, not by their names", async () => {
    const at = await place();
    await plant(at.project, { "real/": "", "a/b/c": { to: "../../real" } });
    const lines = await unpackMade(at, [{ name: "a/b/c/l", content: "../../x", mode: linkMode }]);
    expect(lines).toHaveLength(1);
  });

  test("of an archive come after its files, so that none is written through one", async () => {
    const at = await place();
    await plant(at.root, { "outside/": "" });
    const members = [
      { name: "d", content: "../outside", mode: linkMode },
      { name: "d/evil", content: "x" },
    ];
    await unpackMade(at, members);
    expect(existsSync(join(at.root, "outside/evil"))).toBe(false);
    expect(existsSync(join(at.project, "d/evil"))).toBe(true);
  });

  test("do not take the place of a directory, and that is said", async () => {
    const at = await place();
    await plant(at.project, { "d/f": "" });
    const lines = await unpackMade(at, [{ name: "d", content: "x", mode: linkMode }]);
    expect(lines).toEqual(["WARNING: d -> x: not made, a directory is in its place"]);
  });
});

test("a link in the tree that leads out is not written through", async () => {
  const at = await place();
  await plant(at.root, { "outside/": "", "project/d": { to: "../outside" } });
  for (const size of [1, 2_000_000]) {
    const content = Buffer.alloc(size);
    await expect(unpackMade(at, [{ name: "d/evil", content }])).rejects.toThrow(
      "d/evil: d leads out of the project through a symbolic link",
    );
  }
  await expect(unpackMade(at, [{ name: "d/evil/" }])).rejects.toThrow("leads out of the project");
  expect(existsSync(join(at.root, "outside/evil"))).toBe(false);
});

test("a link in the tree that stays inside is written through", async () => {
  const at = await place();
  await plant(at.project, { "real/": "", d: { to: "real" } });
  await unpackMade(at, [{ name: "d/new/file", content: "x" }]);
  expect(readFileSync(join(at.project, "real/new/file"), "utf8")).toBe("x");
});

test("set-uid, set-gid and sticky bits are not restored", async () => {
  const at = await place();
  await unpackMade(at, [
    { name: "su", mode: 0o106755 },
    { name: "d/", mode: 0o041777 },
  ]);
  expect(statSync(join(at.project, "su")).mode & 0o7777).toBe(0o755);
  expect(statSync(join(at.project, "d")).mode & 0o7777).toBe(0o777);
});

test("a directory that may not be written to gets its files first", async () => {
  const at = await place();
  await unpackMade(at, [
    { name: "d/", mode: 0o040555 },
    { name: "d/f", content: "x" },
  ]);
  expect(statSync(join(at.project, "d")).mode & 0o777).toBe(0o555);
  expect(readFileSync(join(at.project, "d/f"), "utf8")).toBe("x");
  chmodSync(join(at.project, "d"), 0o755);
});

test("a directory that an archive calls a file is a directory that can be entered", async () => {
  const at = await place();
  await unpackMade(at, [
    { name: "d/", mode: 0o100644 },
    { name: "d/f", mode: 0 },
  ]);
  expect(statSync(join(at.project, "d")).mode & 0o777).toBe(0o755);
  expect(statSync(join(at.project, "d/f")).mode & 0o777).toBe(0o644);
});

test("FIFOs and devices are left out, and that is said", async () => {
  const at = await place();
  const lines = await unpackMade(at, [{ name: "fifo", mode: 0o010644 }]);
  expect(lines).toEqual(["WARNING: File ignored: fifo: a FIFO, a socket or a device"]);
  expect(existsSync(join(at.project, "fifo"))).toBe(false);
});

test("large and many members come back byte for byte", async () => {
  const at = await place();
  const noise = randomBytes(3_000_000);
  const many = Array.from({ length: 400 }, (_, i) => ({
    name: `d${i % 5}/f${i}`,
    content: `${i}`.repeat(i),
    deflate: i % 2 === 0,
  }));
  await unpackMade(at, [
    { name: "noise", content: noise },
    { name: "zeros", content: Buffer.alloc(5_000_000), deflate: true },
    ...many,
  ]);
  expect(readFileSync(join(at.project, "noise")).equals(noise)).toBe(true);
  expect(readFileSync(join(at.project, "zeros")).equals(Buffer.alloc(5_000_000))).toBe(true);
  for (const { name, content } of many) {
    expect(readFileSync(join(at.project, name), "utf8")).toBe(content);
  }
});

describe("a damaged archive fails with a clear sentence", () => {
  const damaged = "f: it is damaged in the archive";
  const big = Buffer.alloc(200_000, "text");
  test.each<[string, MadeMember, string]>([
    ["a wrong checksum", { name: "f", content: "x", crc: 1 }, damaged],
    [
      "a wrong checksum of a large file",
      { name: "f", content: big, crc: 1, deflate: true },
      damaged,
    ],
    ["more data than promised", { name: "f", content: big, size: 10, deflate: true }, damaged],
    [
      "a bomb that says it is small",
      { name: "f", content: Buffer.alloc(60_000_000), size: 70_000, deflate: true },
      damaged,
    ],
    ["less data than promised", { name: "f", content: "x", size: 99, deflate: true }, damaged],
  ])("%s", async (_, member, message) => {
    await expect(unpackMade(await place(), [member])).rejects.toThrow(message);
  });

  test("bytes that are no deflate stream", async () => {
    const at = await place();
    const file = await makeZip(at.root, [
      { name: "f", content: "hello hello hello", deflate: true },
    ]);
    const header = Buffer.concat([Buffer.from("f"), Buffer.from([0x55, 0x54, 5, 0])]);
    const bytes = readFileSync(file);
    bytes.fill(0xff, bytes.indexOf(header) + 10, bytes.indexOf(header) + 20);
    await writeFile(file, bytes);
    await expect(unpack(at, file)).rejects.toThrow(damaged);
  });

  test("a cut file, an empty file, some other file", async () => {
    const at = await place();
    const file = await makeZip(at.root, [{ name: "f", content: "x".repeat(1000) }]);
    await truncate(file, 500);
    await expect(unpack(at, file)).rejects.toThrow("Either not a zip file, or file is truncated");
    await truncate(file, 0);
    await expect(unpack(at, file)).rejects.toThrow("the archive cannot be unpacked");
    await writeFile(file, "<html>502</html>");
    await expect(unpack(at, file)).rejects.toThrow("the archive cannot be unpacked");
  });

  test("a directory that lies beyond the end", async () => {
    const at = await place();
    const file = await makeZip(at.root, [{ name: "f", content: "x" }]);
    const end = Buffer.from("PK\u0005\u0006");
    const bytes = readFileSync(file);
    bytes.writeUInt32LE(1_000_000, bytes.indexOf(end) + 16);
    await writeFile(file, bytes);
    await expect(unpack(at, file)).rejects.toThrow("the archive cannot be unpacked");
  });

  test("encryption and methods nobody asked for", async () => {
    const at = await place();
    const file = await makeZip(at.root, [{ name: "f", content: "x", deflate: true }]);
    await patchZip(file, Buffer.from([20, 0, 0, 8, 8, 0]), Buffer.from([20, 0, 0, 8, 93, 0]));
    await expect(unpack(at, file)).rejects.toThrow("f has compression method 93");
    await patchZip(file, Buffer.from([20, 0, 0, 8, 93, 0]), Buffer.from([20, 0, 1, 8, 8, 0]));
    await expect(unpack(at, file)).rejects.toThrow("f is encrypted");
  });
});

test("a file where the archive has a directory fails by name", async () => {
  const at = await place();
  await plant(at.project, { d: "a file" });
  await expect(unpackMade(at, [{ name: "d/f" }])).rejects.toThrow("d/f: d is not a directory");
});

test("a name without the UTF-8 flag is read as UTF-8 where it is that", async () => {
  const at = await place();
  const file = await makeZip(at.root, [{ name: "käse", content: "x" }]);
  await patchZip(file, Buffer.from([20, 0, 0, 8]), Buffer.from([20, 0, 0, 0]));
  await unpack(at, file);
  expect(existsSync(join(at.project, "käse"))).toBe(true);
});

test("an abort ends it with the signal's reason", async () => {
  const at = await place();
  const members = [{ name: "f", content: Buffer.alloc(1_000_000) }];
  const file = await makeZip(at.root, members);
  const aborted = AbortSignal.abort(new Error("job canceled"));
  await expect(unpack(at, file, aborted)).rejects.toThrow("job canceled");
});

test.skipIf(spawnSync("zip", ["-v"]).error !== undefined)(
  "an archive of Info-ZIP's is read",
  async () => {
    const at = await place();
    await plant(at.root, { "src/a": "a".repeat(5000), "src/käse": "k", "src/l": { to: "a" } });
    execFileSync("zip", ["-qry", "../made.zip", "."], { cwd: join(at.root, "src") });
    expect(await unpack(at, join(at.root, "made.zip"))).toEqual([]);
    expect(readFileSync(join(at.project, "a"), "utf8")).toBe("a".repeat(5000));
    expect(readFileSync(join(at.project, "käse"), "utf8")).toBe("k");
    expect(readlinkSync(join(at.project, "l"))).toBe("a");
  },
);
