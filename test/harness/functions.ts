// The functions' bundles as the package ships them, made once per state of the sources.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FunctionName } from "../../infra/bundles.ts";
import { buildFunctions } from "../../scripts/function-bundles.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const cache = join(root, "node_modules", ".cache", "burst-functions");

let built: Promise<string> | undefined;

/** Resolves to the path of a function's index.mjs. */
export async function functionFile(name: FunctionName): Promise<string> {
  built ??= findOrMake();
  return join(await built, name, "index.mjs");
}

async function findOrMake(): Promise<string> {
  const hash = createHash("sha256");
  for (const folder of ["lambdas", "src"]) {
    const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
    for (const file of files.filter((name) => /\.(ts|sh)$/.test(name)).toSorted()) {
      hash.update(file).update(readFileSync(join(root, folder, file)));
    }
  }
  const folder = join(cache, hash.digest("hex").slice(0, 16));
  if (existsSync(folder)) return folder;
  // Several test files may be at this at once: each makes its own, and one of them stays.
  const early = `${folder}.${process.pid}`;
  mkdirSync(early, { recursive: true });
  await buildFunctions(early);
  try {
    renameSync(early, folder);
  } catch {
    rmSync(early, { recursive: true, force: true });
  }
  return folder;
}
