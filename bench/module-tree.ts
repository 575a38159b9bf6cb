// A folder like the node_modules of a web project, made up: the same files in every run. Mostly small texts in many
// folders, a few large ones, some that are packed already, links in .bin.

import { createCipheriv, createHash } from "node:crypto";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface ModuleTree {
  /** The project, with node_modules in it. */
  readonly project: string;
  readonly files: number;
}

const filesPerPackage = 40;

export async function makeModuleTree(project: string, megabytes: number): Promise<ModuleTree> {
  const text = sourceText(8_000_000);
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16, 7), Buffer.alloc(16));
  const packed = cipher.update(Buffer.alloc(1_000_000));
  const modules = join(project, "node_modules");
  await mkdir(join(modules, ".bin"), { recursive: true });
  let files = 0;
  for (let bytes = 0, i = 0; bytes < megabytes * 1e6; i++) {
    const source = i % 50 === 7 ? packed : text;
    const length = Math.min(sizeOf(i), source.length);
    const from = (i * 1_299_709) % (source.length - length + 1);
    const number = Math.floor(i / filesPerPackage);
    const folder = join(modules, `package-${number}`, folders[i % folders.length] ?? "");
    if (i % filesPerPackage < folders.length) await mkdir(folder, { recursive: true });
    const name = join(folder, `module-${i}.${source === packed ? "wasm" : "js"}`);
    await writeFile(name, source.subarray(from, from + length));
    if (i % filesPerPackage === 0) {
      const target = join("..", `package-${number}`, `module-${i}.js`);
      await symlink(target, join(modules, ".bin", `tool-${number}`));
    }
    bytes += length;
    files++;
  }
  return { project, files };
}

const folders = ["", "dist", "dist/esm", "lib", "types"];

/** Of a hundred files 80 are below 8 KB, 17 below 64 KB and 3 up to 500 KB: 13 KB on average. */
function sizeOf(i: number): number {
  const roll = (i * 7919) % 100;
  const spread = (i * 104_729) % 10_000;
  if (roll < 80) return 150 + Math.floor(spread * 0.75);
  if (roll < 97) return 8000 + Math.floor(spread * 3);
  return 64_000 + spread * 40;
}

const shapes = [
  "  const $ = $($.$, $);",
  "export function $($, $) {",
  "  if ($.$ === $) return $($);",
  "  $.$($ => $.$ + $);",
  "}",
  "/** $ $ $ $ $ $ $ */",
  '  throw new $("$ $ $ $");',
  'import { $, $ } from "./$.js";',
  "  $: $[$], // $",
];

/** Like JavaScript: zstd makes a quarter of it, as of the real thing. */
function sourceText(bytes: number): Uint8Array {
  const vocabulary = Array.from({ length: 6000 }, (_, i) =>
    createHash("sha256")
      .update(`${i}`)
      .digest("base64url")
      .replace(/[-_\d]/g, "")
      .slice(0, 3 + (i % 11)),
  );
  let state = 20_260_117;
  const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  // Most words are a few of all there are.
  const word = () => vocabulary[Math.floor(vocabulary.length * random() ** 3)] ?? "";
  const lines: string[] = [];
  for (let size = 0; size < bytes; size += (lines.at(-1)?.length ?? 0) + 1) {
    lines.push((shapes[Math.floor(random() * shapes.length)] ?? "").replaceAll("$", word));
  }
  return Buffer.from(lines.join("\n"));
}
