import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openSpool } from "../../src/agent/spool.ts";
import { crc32 } from "../../src/core/crc32.ts";

function newSpool() {
  const folder = mkdtempSync(join(tmpdir(), "burst-spool-"));
  const faults: unknown[] = [];
  const spool = openSpool(folder, (cause) => faults.push(cause));
  onTestFinished(() => {
    spool.close();
    rmSync(folder, { recursive: true });
  });
  return { spool, folder, faults };
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

test("what was appended is read again, from any place and across any borders", () => {
  const { spool } = newSpool();
  for (const part of ["first ", "second ", "third"]) spool.append(Buffer.from(part), true);
  expect(spool.size).toBe(18);
  expect(text(spool.read(0, 100))).toBe("first second third");
  expect(text(spool.read(4, 5))).toBe("t sec");
  expect(text(spool.read(18, 10))).toBe("");
  expect(text(spool.read(25, 10))).toBe("");
});

test("C39 size and checksum are those of all bytes so far", () => {
  const { spool } = newSpool();
  expect(spool.crc).toBe(0);
  for (const part of ["1234", "", "56789"]) spool.append(Buffer.from(part), true);
  expect(spool.crc).toBe(0xcbf43926);
  const large = Buffer.alloc(3_000_000, "a log line\n");
  spool.append(large, true);
  expect(spool.crc).toBe(crc32(large, 0xcbf43926));
  expect(spool.size).toBe(9 + large.length);
});

test("the file has no name: nobody finds it, and nothing is left behind", () => {
  const { spool, folder, faults } = newSpool();
  spool.append(Buffer.from("secret"), true);
  expect(readdirSync(folder)).toEqual([]);
  expect(faults).toEqual([]);
});

test("what is read is a copy", () => {
  const { spool } = newSpool();
  spool.append(Buffer.from("as it is"), true);
  spool.read(0, 8).fill(0);
  expect(text(spool.read(0, 8))).toBe("as it is");
});

test("without a disk the fault is told once, output is dropped, and the runner's own words are kept", async () => {
  const faults: unknown[] = [];
  const spool = openSpool("/no/such/folder", (cause) => faults.push(cause));
  spool.append(Buffer.from("output\n"), true);
  spool.append(Buffer.from("the runner's words\n"), false);
  spool.append(Buffer.from("and more\n"), false);
  await Promise.resolve();
  expect(faults).toHaveLength(1);
  expect(text(spool.read(0, 100))).toBe("the runner's words\nand more\n");
  expect(spool.crc).toBe(crc32(Buffer.from("the runner's words\nand more\n"), 0));
  spool.close();
});
