// Zip files for the tests of unpacking: with whatever names, modes and numbers a test wants, honest or not.

import { open, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import { ZipFile } from "../../../src/agent/archive/zip-file.ts";

export interface MadeMember {
  readonly name: string;
  readonly content?: string | Buffer;
  /** With type bits; a plain file by default. */
  readonly mode?: number;
  readonly crc?: number;
  readonly size?: number;
  readonly deflate?: boolean;
}

export const linkMode = 0o120777;

export async function makeZip(root: string, members: readonly MadeMember[]): Promise<string> {
  const file = join(root, "made.zip");
  const output = await open(file, "w");
  const zip = new ZipFile(output);
  for (const member of members) {
    const content = Buffer.from(member.content ?? "");
    const packed = member.deflate === true ? deflateRawSync(content) : content;
    const size = member.size ?? content.length;
    const end = await zip.begin({
      name: member.name,
      mode: member.mode ?? (member.name.endsWith("/") ? 0o040755 : 0o100644),
      mtimeSeconds: 1_700_000_001,
      method: member.deflate === true ? 8 : 0,
      crc: 0,
      size,
      compressedSize: packed.length,
    });
    await zip.append(packed);
    await end({ size, crc: member.crc ?? crc32(content) });
  }
  await zip.finish();
  await output.close();
  return file;
}

/** Changes bytes of a made zip: every occurrence of `from`. */
export async function patchZip(file: string, from: Buffer, to: Buffer): Promise<void> {
  const bytes = await readFile(file);
  for (let at = bytes.indexOf(from); at !== -1; at = bytes.indexOf(from, at + 1))
    to.copy(bytes, at);
  await writeFile(file, bytes);
}
