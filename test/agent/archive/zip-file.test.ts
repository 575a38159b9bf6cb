import { spawnSync } from "node:child_process";
import { open, truncate } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as yauzl from "yauzl";
import { ZipFile } from "../../../src/agent/archive/zip-file.ts";
import type { MemberEnd } from "../../../src/agent/archive/zip-file.ts";
import { zipRecords } from "../../../src/agent/archive/zip-records.ts";
import type { ZipMember } from "../../../src/agent/archive/zip-records.ts";
import { readZip, scratch } from "./workshop.ts";

const fiveGiB = 5 * 1024 ** 3;
const member: ZipMember = {
  name: "f",
  mode: 0o100644,
  mtimeSeconds: 1_700_000_000,
  method: 0,
  crc: 0,
  size: 0,
  compressedSize: 0,
};

async function entriesOf(file: string): Promise<yauzl.Entry[]> {
  const zip = await yauzl.openPromise(file);
  const entries: yauzl.Entry[] = [];
  for await (const entry of zip.eachEntry()) entries.push(entry);
  return entries;
}

/** Leaves a hole, so that the gigabytes are only numbers. */
async function hole(handle: FileHandle, file: string, bytes: number): Promise<void> {
  const { size } = await handle.stat();
  await truncate(file, size + bytes);
}

test("members and offsets above 4 GiB are told in zip64 fields", async () => {
  const file = join(await scratch(), "made.zip");
  const output = await open(file, "a+");
  const records = zipRecords();
  await output.appendFile(
    records.local({ ...member, size: fiveGiB, compressedSize: fiveGiB }, true),
  );
  const start = (await output.stat()).size;
  await hole(output, file, fiveGiB);
  const second = (await output.stat()).size;
  await output.appendFile(records.local({ ...member, name: "second" }, false));
  const directory = (await output.stat()).size;
  const big = { ...member, size: fiveGiB, compressedSize: fiveGiB };
  await output.appendFile(records.central(big, 0));
  await output.appendFile(records.central({ ...member, name: "second" }, second));
  const size = (await output.stat()).size - directory;
  await output.appendFile(records.end(2, directory, size));
  await output.close();

  const [first, other] = await entriesOf(file);
  expect(first).toMatchObject({ uncompressedSize: fiveGiB, compressedSize: fiveGiB });
  expect(other).toMatchObject({ fileName: "second", relativeOffsetOfLocalHeader: second });
  const zip = await yauzl.openPromise(file);
  if (first === undefined) throw new Error("no entry");
  const header = await zip.readLocalFileHeaderPromise(first, { minimal: true });
  expect(header.fileDataStart).toBe(start);
  zip.close();
});

test("more than 65,535 members are counted in the zip64 end", async () => {
  const file = join(await scratch(), "made.zip");
  const output = await open(file, "w");
  const zip = new ZipFile(output);
  const members = Array.from({ length: 70_000 }, (_, i) => ({
    member: { ...member, name: `${i}/` },
    offset: 0,
  }));
  await zip.appendMembers(new Uint8Array(0), members);
  await zip.finish();
  await output.close();
  const read = await yauzl.openPromise(file);
  expect(read.entryCount).toBe(70_000);
  read.close();
  const python = ["-c", `import zipfile;print(len(zipfile.ZipFile("${file}").namelist()))`];
  const second = spawnSync("python3", python, { encoding: "utf8" });
  expect(second.error === undefined ? second.stdout.trim() : "70000").toBe("70000");
});

test("a member begun with a draft ends with the true numbers", async () => {
  const file = join(await scratch(), "made.zip");
  const output = await open(file, "w");
  const zip = new ZipFile(output);
  for (const size of [3, 0xffff_ffff]) {
    const end: (end: MemberEnd) => Promise<void> = await zip.begin({
      ...member,
      name: `${size}`,
      size,
    });
    await zip.append(Buffer.from("abc"));
    await end({ size: 3, crc: 0x352441c2 });
  }
  await zip.finish();
  await output.close();
  const contents = [...(await readZip(file)).values()].map(({ content }) => content.toString());
  expect(contents).toEqual(["abc", "abc"]);
});

test("times that a zip cannot tell are brought to the nearest it can", async () => {
  const file = join(await scratch(), "made.zip");
  const output = await open(file, "w");
  const zip = new ZipFile(output);
  for (const mtimeSeconds of [-5, 0, 4_354_819_199, 1e12]) {
    const end = await zip.begin({ ...member, name: `${mtimeSeconds}`, mtimeSeconds });
    await end({ size: 0, crc: 0 });
  }
  await zip.finish();
  await output.close();
  const times = [...(await readZip(file)).values()].map(({ mtimeSeconds }) => mtimeSeconds);
  expect(times).toEqual([-5, 0, 0x7fff_ffff, 0x7fff_ffff]);
});
