import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { selectFiles } from "../../../src/agent/archive/select-files.ts";
import { writeZip } from "../../../src/agent/archive/zip-writer.ts";
import { never, plant, readZip, recordingLog, scratch } from "./workshop.ts";
import type { ReadMember } from "./workshop.ts";

interface Made {
  readonly file: string;
  readonly members: Map<string, ReadMember>;
  readonly lines: readonly string[];
}

/** `meddle` runs between choosing the files and reading them. */
async function zipOf(
  root: string,
  options: { level?: number; signal?: AbortSignal; meddle?: () => void } = {},
): Promise<Made> {
  const log = recordingLog();
  const signal = options.signal ?? never;
  const common = { projectDir: join(root, "project"), log, signal };
  const chosen = { paths: ["**"], exclude: [], untracked: undefined };
  const entries = await selectFiles({ ...common, ...chosen });
  options.meddle?.();
  const file = join(root, "made.zip");
  const level = options.level ?? 5;
  const size = await writeZip({ ...common, entries, extras: [], level, file });
  expect((await stat(file)).size).toBe(size);
  return {
    file,
    members: await readZip(file),
    lines: log.lines.filter((line) => line.startsWith("W")),
  };
}

/** Whether a program is there to ask for a second opinion. */
function has(program: string): boolean {
  return spawnSync(program, ["--help"], { stdio: "ignore" }).error === undefined;
}

const text = "All work and no play makes Jack a dull boy.\n";

test("files, directories and links come back as they were", async () => {
  const root = await scratch();
  await plant(root, {
    "project/empty": "",
    "project/run.sh": "#!/bin/sh\n",
    "project/text": text.repeat(100),
    "project/hollow/": "",
    "project/link": { to: "text" },
    "project/nowhere": { to: "/no/such/file" },
  });
  chmodSync(join(root, "project/run.sh"), 0o750);
  utimesSync(join(root, "project/run.sh"), 1_700_000_001, 1_700_000_001);
  const { members, lines } = await zipOf(root);
  expect([...members.keys()]).toEqual(["empty", "hollow/", "link", "nowhere", "run.sh", "text"]);
  expect(members.get("run.sh")).toMatchObject({ mode: 0o100750, mtimeSeconds: 1_700_000_001 });
  expect(members.get("text")).toMatchObject({ method: 8 });
  expect(members.get("text")?.content.toString()).toBe(text.repeat(100));
  expect((members.get("hollow/")?.mode ?? 0) & 0o170000).toBe(0o040000);
  expect((members.get("link")?.mode ?? 0) & 0o170000).toBe(0o120000);
  expect(members.get("nowhere")?.content.toString()).toBe("/no/such/file");
  expect(lines).toEqual([]);
});

test("names come back whatever characters they hold", async () => {
  const root = await scratch();
  const names = ["-rf", "a\nb", " x ", "käse-😀", "$(x)"].toSorted();
  await plant(root, Object.fromEntries(names.map((name) => [`project/${name}`, name])));
  const { members } = await zipOf(root);
  expect([...members].map(([name, { content }]) => [name, content.toString()])).toEqual(
    names.map((name) => [name, name]),
  );
});

describe("files of every size and level come back byte for byte", () => {
  const contents: Record<string, Buffer> = {
    tiny: Buffer.from("x"),
    middle: Buffer.from(text.repeat(1000)),
    noise: randomBytes(70_000),
    exactBlock: Buffer.alloc(1024 * 1024, text),
    large: Buffer.concat([Buffer.alloc(1_500_000, text), randomBytes(1_500_000)]),
  };
  test.each([0, 1, 5, 9])("level %i", async (level) => {
    const root = await scratch();
    await plant(
      root,
      Object.fromEntries(Object.entries(contents).map(([n, c]) => [`project/${n}`, c])),
    );
    const { members, file } = await zipOf(root, { level });
    for (const [name, content] of Object.entries(contents)) {
      expect(members.get(name)?.content.equals(content)).toBe(true);
    }
    expect(members.get("middle")?.method).toBe(level === 0 ? 0 : 8);
    if (has("unzip")) execFileSync("unzip", ["-tq", file]);
    if (has("python3")) execFileSync("python3", ["-m", "zipfile", "-t", file], { stdio: "ignore" });
  });
});

test("blocks that are deflated side by side compress like one stream", async () => {
  const root = await scratch();
  const lines = Array.from({ length: 90_000 }, (_, i) => `${i * 7919} ${text}`).join("");
  await plant(root, { "project/log": lines });
  const { file } = await zipOf(root, { level: 5 });
  const whole = execFileSync("gzip", ["-5", "-c", join(root, "project/log")], { maxBuffer: 1e9 });
  expect((await stat(file)).size).toBeLessThan(whole.length * 1.02);
});

test("many small files go through worker threads and arrive complete", async () => {
  const root = await scratch();
  const files = Object.fromEntries(
    Array.from({ length: 300 }, (_, i) => [
      `project/d${i % 7}/f${i}`,
      `${i} ${text.repeat(i % 9)}`,
    ]),
  );
  await plant(root, files);
  const { members } = await zipOf(root);
  expect(members.size).toBe(307);
  for (const [name, content] of Object.entries(files)) {
    expect(members.get(name.slice("project/".length))?.content.toString()).toBe(content);
  }
});

test("a file that vanished is left out, and that is said", async () => {
  const root = await scratch();
  await plant(root, { "project/a": "a", "project/b": "b", "project/c": Buffer.alloc(100_000) });
  const meddle = (): void => ["a", "c"].forEach((name) => rmSync(join(root, "project", name)));
  const { members, lines } = await zipOf(root, { meddle });
  expect([...members.keys()]).toEqual(["b"]);
  expect(lines).toEqual([
    "WARNING: File ignored: a: no such file any more",
    "WARNING: File ignored: c: no such file any more",
  ]);
});

test("a directory that became a link meanwhile is not walked through", async () => {
  const root = await scratch();
  await plant(root, { "project/d/passwd": "mine", "project/f": "f", secret: "theirs" });
  const meddle = (): void => {
    rmSync(join(root, "project/d"), { recursive: true });
    symlinkSync("/etc", join(root, "project/d"));
    rmSync(join(root, "project/f"));
    symlinkSync("../secret", join(root, "project/f"));
  };
  const { members, lines } = await zipOf(root, { meddle });
  expect([...members.keys()]).toEqual([]);
  expect(lines).toHaveLength(3);
});

test("a file that became a FIFO meanwhile hangs nobody", async () => {
  const root = await scratch();
  await plant(root, { "project/f": "f" });
  const meddle = (): void => {
    rmSync(join(root, "project/f"));
    execFileSync("mkfifo", [join(root, "project/f")]);
  };
  const { lines } = await zipOf(root, { meddle });
  expect(lines).toEqual(["WARNING: File ignored: f: not a regular file any more"]);
});

test("a file that changed size meanwhile is archived as it is then", async () => {
  const root = await scratch();
  await plant(root, { "project/grown": "g", "project/shrunk": Buffer.alloc(3_000_000, "s") });
  const meddle = (): void => {
    writeFileSync(join(root, "project/grown"), Buffer.alloc(2_000_000, "G"));
    truncateSync(join(root, "project/shrunk"), 10);
  };
  const { members } = await zipOf(root, { meddle });
  expect(members.get("grown")?.content.length).toBe(2_000_000);
  expect(members.get("shrunk")?.content.toString()).toBe("s".repeat(10));
});

test("a file that cannot be read fails the archive by name", async () => {
  const root = await scratch();
  await plant(root, { "project/": "" });
  const path = "n".repeat(300);
  const order = { projectDir: join(root, "project"), log: recordingLog(), signal: never };
  const entries = [{ name: "key", path, kind: "file" as const }];
  const made = writeZip({ ...order, entries, extras: [], level: 5, file: join(root, "made.zip") });
  await expect(made).rejects.toThrow("key cannot be read: ENAMETOOLONG: name too long");
});

test("an abort ends it with the signal's reason", async () => {
  const root = await scratch();
  await plant(root, { "project/a": "a" });
  const controller = new AbortController();
  const meddle = (): void => controller.abort(new Error("job canceled"));
  await expect(zipOf(root, { signal: controller.signal, meddle })).rejects.toThrow("job canceled");
});

test("a file that is there already is not overwritten", async () => {
  const root = await scratch();
  await plant(root, { "project/a": "a", "made.zip": "precious" });
  await expect(zipOf(root)).rejects.toThrow("EEXIST");
  expect(await readFile(join(root, "made.zip"), "utf8")).toBe("precious");
});

test("the checksum in the archive is that of the content", async () => {
  const root = await scratch();
  const content = Buffer.concat([Buffer.alloc(2_000_000, text), randomBytes(100)]);
  await plant(root, { "project/a": content });
  const { file } = await zipOf(root);
  const directory = (await readFile(file)).subarray(-300);
  const record = directory.indexOf(Buffer.from("PK\u0001\u0002"));
  expect(directory.readUInt32LE(record + 16)).toBe(crc32(content));
});
