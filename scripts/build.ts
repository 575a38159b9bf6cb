// Makes dist/: the package's JavaScript and types, the boot script beside them, and the agent as one file
// for its image.

import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, rmSync } from "node:fs";
import { build } from "esbuild";

rmSync("dist", { recursive: true, force: true });

const compiled = spawnSync("node_modules/.bin/tsc", ["-p", "tsconfig.build.json"], {
  stdio: "inherit",
});
if (compiled.status !== 0) process.exitCode = 1;
else await finish();

async function finish(): Promise<void> {
  copyFileSync("src/agent/boot.sh", "dist/agent/boot.sh");
  chmodSync("dist/cli/main.js", 0o755);
  mkdirSync("dist/bundles", { recursive: true });
  await build({
    entryPoints: ["src/agent/main.ts"],
    outfile: "dist/bundles/agent.mjs",
    bundle: true,
    platform: "node",
    target: "node20.19",
    format: "esm",
    legalComments: "linked",
    // Libraries that are CommonJS ask for Node's own modules by require.
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  });
}
