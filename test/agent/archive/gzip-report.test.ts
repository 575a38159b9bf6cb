import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { utimesSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { writeGzip } from "../../../src/agent/archive/gzip-report.ts";
import { selectFiles } from "../../../src/agent/archive/select-files.ts";
import { never, plant, recordingLog, scratch } from "./workshop.ts";

async function gzipOf(
  root: string,
  paths: readonly string[],
): Promise<{ readonly bytes: Buffer; readonly memberCount: number; readonly lines: string[] }> {
  const log = recordingLog();
  const common = { projectDir: root, log, signal: never };
  const entries = await selectFiles({ ...common, paths, exclude: [], untracked: undefined });
  const file = join(await scratch(), "report.gz");
  const { memberCount, sizeBytes } = await writeGzip({ ...common, entries, file });
  const bytes = await readFile(file);
  expect(bytes.length).toBe(sizeBytes);
  return { bytes, memberCount, lines: log.lines };
}

test("the members stand in the order of their names and decompress to their files", async () => {
  const root = await scratch();
  await plant(root, {
    "r/b.xml": "<b/>",
    "r/a.xml": "<a/>",
    "r/empty.xml": "",
    "a.xml": "<first/>",
  });
  const { bytes, memberCount } = await gzipOf(root, ["r", "a.xml"]);
  expect(memberCount).toBe(4);
  expect(gunzipSync(bytes).toString()).toBe("<first/><a/><b/>");
});

test("a member's header has the base name, the path and the time", async () => {
  const root = await scratch();
  await plant(root, { "r/käse.xml": "<a/>" });
  utimesSync(join(root, "r/käse.xml"), 1_700_000_001, 1_700_000_001);
  const { bytes } = await gzipOf(root, ["r/*"]);
  const fixed = [0x1f, 0x8b, 8, 0x18, 0x01, 0xf1, 0x53, 0x65, 0, 0xff];
  expect([...bytes.subarray(0, 10)]).toEqual(fixed);
  expect(bytes.subarray(10, 20).toString("latin1")).toBe("käse.xml\0r");
  expect(bytes.subarray(10, 31).toString("latin1").split("\0")[1]).toBe("r/käse.xml");
});

test("names beyond Latin-1 go as UTF-8", async () => {
  const root = await scratch();
  await plant(root, { "日.xml": "<a/>" });
  const { bytes } = await gzipOf(root, ["*"]);
  expect(bytes.subarray(10).toString("utf8").split("\0")[0]).toBe("日.xml");
});

test("large files go in blocks and pass gzip's own test", async () => {
  const root = await scratch();
  const content = Buffer.concat([randomBytes(1_200_000), Buffer.alloc(1_200_000, "log line\n")]);
  await plant(root, { "a.bin": content, "b.txt": "b" });
  const { bytes } = await gzipOf(root, ["*"]);
  expect(gunzipSync(bytes).equals(Buffer.concat([content, Buffer.from("b")]))).toBe(true);
  execFileSync("gzip", ["-t"], { input: bytes });
});

test("links are left out, and that is said", async () => {
  const root = await scratch();
  await plant(root, { l: { to: "f" } });
  const { memberCount, lines } = await gzipOf(root, ["l"]);
  expect(memberCount).toBe(0);
  expect(lines).toContain("WARNING: File ignored: l: a report is made of files, not of links");
});
