import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { chmod, mkdir, open, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { nodeZstd, zstdOnPath, zstdProgram } from "../../../src/agent/archive/zstd.ts";
import type { Zstd } from "../../../src/agent/archive/zstd.ts";
import { scratch } from "./workshop.ts";

const program = execFileSync("sh", ["-c", "command -v zstd || true"]).toString().trim();
const own = nodeZstd();
const kinds: [string, Zstd][] = [
  ...(program === "" ? [] : [["the program", zstdProgram(program)] as [string, Zstd]]),
  ...(own === undefined ? [] : [["Node's own", own] as [string, Zstd]]),
];

/** Words, and then what cannot be packed. */
const content = Buffer.concat([Buffer.from("some words ".repeat(200_000)), randomBytes(300_000)]);

async function pack(zstd: Zstd): Promise<string> {
  const file = join(await scratch(), "packed");
  const output = await open(file, "wx");
  const sink = zstd.pack(output, 3);
  for (let at = 0; at < content.length; at += 100_001) {
    await sink.write(content.subarray(at, at + 100_001));
  }
  await sink.finish();
  sink.abandon();
  await output.close();
  return file;
}

async function unpack(zstd: Zstd, file: string): Promise<Buffer> {
  const input = await open(file, "r");
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of zstd.unpack(input)) chunks.push(Buffer.from(chunk));
  } finally {
    await input.close();
  }
  return Buffer.concat(chunks);
}

describe.each(kinds)("%s", (_kind, zstd) => {
  test("packs what it can read, and any zstd can", async () => {
    const file = await pack(zstd);
    expect(readFileSync(file).subarray(0, 4)).toEqual(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]));
    expect(readFileSync(file).length).toBeLessThan(310_000);
    for (const [, reader] of kinds) {
      expect((await unpack(reader, file)).equals(content)).toBe(true);
    }
  });

  test.each([
    [
      "an early end",
      /premature end|unexpected end/,
      async (file: string) => await truncate(file, 200_000),
    ],
    [
      "a wrong byte",
      /checksum|corruption/i,
      async (file: string) => {
        const bytes = readFileSync(file);
        bytes[bytes.length - 100_000] = (bytes.at(-100_000) ?? 0) ^ 1;
        await writeFile(file, bytes);
      },
    ],
    [
      "something else",
      /unsupported format|unknown frame/i,
      async (file: string) => await writeFile(file, "not zstd at all"),
    ],
  ])("%s is an error", async (_what, message, damage) => {
    const file = await pack(zstd);
    await damage(file);
    await expect(unpack(zstd, file)).rejects.toThrow(message);
  });

  test("a reader that stops leaves nothing behind", async () => {
    const input = await open(await pack(zstd), "r");
    for await (const _ of zstd.unpack(input)) break;
    await input.close();
  });

  test.runIf(existsSync("/dev/full"))("a disk that takes no more is an error", async () => {
    const output = await open("/dev/full", "w");
    const sink = zstd.pack(output, 3);
    const packing = async () => {
      for (let i = 0; i < 40; i++) await sink.write(randomBytes(100_000));
      await sink.finish();
    };
    await expect(packing()).rejects.toThrow(/no space/i);
    sink.abandon();
    await output.close();
  });
});

test.runIf(own === undefined)(
  "the program is looked for on the PATH, and must be one",
  async () => {
    const root = await scratch();
    await mkdir(join(root, "folder/zstd"), { recursive: true });
    await mkdir(join(root, "plain"));
    await writeFile(join(root, "plain/zstd"), "");
    expect(await zstdOnPath(`${root}/folder:${root}/plain:${root}/missing:.`)).toBeUndefined();
    await chmod(join(root, "plain/zstd"), 0o755);
    expect(await zstdOnPath(`${root}/folder:${root}/plain`)).toBeDefined();
    expect(await zstdOnPath("")).toBeUndefined();
  },
);

test("a program that fails says why", async () => {
  const root = await scratch();
  const bad = join(root, "zstd");
  await writeFile(bad, "#!/bin/sh\necho 'no memory for it' >&2\nexit 1\n", { mode: 0o755 });
  const output = await open(join(root, "out"), "wx");
  const sink = zstdProgram(bad).pack(output, 3);
  await expect(sink.finish()).rejects.toThrow("no memory for it");
  await expect(sink.write(randomBytes(1_000_000))).rejects.toThrow("no memory for it");
  await output.close();
});
