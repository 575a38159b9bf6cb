// The agent as one file, as the package ships it: it starts in a quarter of the time that the sources
// take with a compiler beside them, and the tests start a hundred. Made once per state of src.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { agentBuild } from "../../src/local/agent-image/agent-bundle.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

let made: Promise<string> | undefined;

/** Resolves to the path of the program. */
export function agentProgram(): Promise<string> {
  made ??= findOrMake();
  return made;
}

async function findOrMake(): Promise<string> {
  const folder = join(root, "node_modules", ".cache", "burst-agent");
  const path = join(folder, `${stateOf(join(root, "src"))}.mjs`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  // Several test files may be at this at once: each makes its own, and the last one stays.
  const early = `${path}.${String(process.pid)}.mjs`;
  await build({ ...agentBuild, entryPoints: [join(root, "src/agent/main.ts")], outfile: early });
  renameSync(early, path);
  return path;
}

function stateOf(folder: string): string {
  const hash = createHash("sha256");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  for (const file of files.filter((name) => name.endsWith(".ts")).toSorted()) {
    hash.update(file).update(readFileSync(join(folder, file)));
  }
  return hash.digest("hex").slice(0, 16);
}
