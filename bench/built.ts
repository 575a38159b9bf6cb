// The package as a user gets it: dist/, made by `npm run build` where it is missing or older than the sources.
// And programs of the benchmarks themselves, made into plain JavaScript so that no compiler runs beside them.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

export const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");

let built: string | undefined;

/** The folder with cli/main.js in it. */
export function builtPackage(note: (text: string) => void): string {
  if (built !== undefined) return built;
  if (!isFresh()) {
    note("dist/ is missing or older than src/: building");
    const made = spawnSync(process.execPath, ["--import", "tsx", "scripts/build.ts"], {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
    });
    if (made.status !== 0) throw new Error("npm run build has failed");
  }
  built = dist;
  return dist;
}

function isFresh(): boolean {
  const program = join(dist, "cli", "main.js");
  const bundle = join(dist, "bundles", "agent.mjs");
  if (!existsSync(program) || !existsSync(bundle)) return false;
  const made = Math.min(statSync(program).mtimeMs, statSync(bundle).mtimeMs);
  return readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).every(
    (path) => statSync(join(root, "src", path)).mtimeMs <= made,
  );
}

/** A file of this folder with all of our own code that it needs, as one module for Node. */
export async function builtProgram(file: string): Promise<string> {
  const outfile = join(root, "node_modules", ".cache", "burst-bench", file.replace(/ts$/, "mjs"));
  await build({
    entryPoints: [join(root, "bench", file)],
    outfile,
    bundle: true,
    packages: "external",
    platform: "node",
    target: "node20.19",
    format: "esm",
    logLevel: "error",
  });
  return outfile;
}
