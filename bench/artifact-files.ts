// What jobs keep, made up: the same files in every run.

import { createCipheriv } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { logText } from "./log-text.ts";

const folders = 200;

/** Pieces of text, 200 to 2,000 bytes, in 200 folders below `out`. Resolves to `project`. */
export async function makeSmallFiles(project: string, count: number): Promise<string> {
  const text = logText(200_000);
  for (let i = 0; i < folders; i++) {
    await mkdir(join(project, "out", `d${i}`), { recursive: true });
  }
  for (let i = 0; i < count; i++) {
    const from = (i * 104_729) % (text.length - 2000);
    const length = 200 + ((i * 7919) % 1800);
    const path = join(project, "out", `d${i % folders}`, `file-${i}.txt`);
    await writeFile(path, text.subarray(from, from + length));
  }
  return project;
}

/** Every other megabyte compresses well, the rest not at all. Resolves to `project`. */
export async function makeLargeFile(project: string, megabytes: number): Promise<string> {
  await mkdir(join(project, "out"), { recursive: true });
  const texts = Array.from({ length: 4 }, () => logText(1e6).subarray(0, 1e6));
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16, 1), Buffer.alloc(16));
  const nothing = Buffer.alloc(1e6);
  await writeFile(
    join(project, "out", "large.bin"),
    (function* blocks() {
      for (let i = 0; i < megabytes; i++) {
        yield i % 2 === 0 ? (texts[(i / 2) % texts.length] ?? nothing) : cipher.update(nothing);
      }
    })(),
  );
  return project;
}
