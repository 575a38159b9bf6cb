// The sources as plain JavaScript, module by module as `npm run build` lays them out, so that processes
// under test start as users' do: at once, and without a compiler beside them. Made once per state of src.

import { createHash } from "node:crypto";
import { copyFileSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));
const cache = join(root, "node_modules", ".cache", "burst-built");

let built: Promise<string> | undefined;

/** Resolves to the folder with cli/main.js and agent/main.js in it. */
export function builtSources(): Promise<string> {
  built ??= findOrMake();
  return built;
}

async function findOrMake(): Promise<string> {
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((path) => /\.(ts|sh)$/.test(path))
    .toSorted();
  const hash = createHash("sha256");
  for (const path of files) hash.update(path).update(readFileSync(join(root, "src", path)));
  const folder = join(cache, hash.digest("hex").slice(0, 16));
  if (!existsSync(folder)) await make(folder, files);
  return join(folder, "dist");
}

async function make(folder: string, files: readonly string[]): Promise<void> {
  const early = `${folder}.${process.pid}`;
  await build({
    entryPoints: files
      .filter((path) => path.endsWith(".ts"))
      .map((path) => join(root, "src", path)),
    outbase: join(root, "src"),
    outdir: join(early, "dist"),
    bundle: true,
    packages: "external",
    platform: "node",
    target: "node20.19",
    format: "esm",
    sourcemap: "inline",
    plugins: [
      {
        name: "one file per module",
        setup({ onResolve }) {
          onResolve({ filter: /^\.{1,2}\/.*\.ts$/, namespace: "file" }, ({ path }) => ({
            path: path.replace(/\.ts$/, ".js"),
            external: true,
          }));
        },
      },
    ],
  });
  copyFileSync(join(root, "package.json"), join(early, "package.json"));
  for (const path of files.filter((path) => path.endsWith(".sh"))) {
    copyFileSync(join(root, "src", path), join(early, "dist", path));
  }
  forgetOthers(folder);
  try {
    renameSync(early, folder);
  } catch (cause) {
    // Another worker was as quick, with the same sources.
    rmSync(early, { recursive: true, force: true });
    if (!existsSync(folder)) throw cause;
  }
}

/** Of earlier states nobody needs anything any more; what is new may be in another worker's hands. */
function forgetOthers(folder: string): void {
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (path === folder || Date.now() - made < 3_600_000) continue;
    rmSync(path, { recursive: true, force: true });
  }
}
