// Each Lambda function as one file, so that whoever deploys the construct needs no bundler: the SDK is in it, for
// Lambda's own is another version each month. Tests run the very same files.

import { copyFileSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { functionNames } from "../infra/bundles.ts";
import type { FunctionName } from "../infra/bundles.ts";
import { leanUndici } from "../src/local/agent-image/lean-undici.ts";

export interface FunctionBundle {
  readonly name: FunctionName;
  /** Its `index.mjs` exports `handler`. */
  readonly folder: string;
  readonly bytes: number;
}

const root = fileURLToPath(new URL("..", import.meta.url));

/** Makes `<folder>/<name>/index.mjs`. Throws what the bundler says where one cannot be made. */
export async function buildFunctions(folder: string): Promise<readonly FunctionBundle[]> {
  const bundles: FunctionBundle[] = [];
  for (const name of functionNames) {
    const entry = join(root, "lambdas", `${name}.ts`);
    const out = join(folder, name);
    mkdirSync(out, { recursive: true });
    await buildFunction(entry, join(out, "index.mjs"));
    // What runs in the job's container is part of the task definition, which the launcher and its kin write.
    copyFileSync(join(root, "src/agent/boot.sh"), join(out, "boot.sh"));
    // Keeps a package.json above the file from deciding what its modules are.
    writeFileSync(join(out, "package.json"), '{"type":"module"}\n');
    bundles.push({ name, folder: out, bytes: statSync(join(out, "index.mjs")).size });
  }
  return bundles;
}

async function buildFunction(entry: string, outfile: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    minify: true,
    // Stacks in the log name our functions.
    keepNames: true,
    platform: "node",
    target: "node24",
    format: "esm",
    mainFields: ["module", "main"],
    legalComments: "linked",
    plugins: [leanUndici],
    // Libraries that are CommonJS ask for Node's own modules by require.
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  });
}
