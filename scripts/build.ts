// Makes dist/: the package's JavaScript and types, the boot script beside them, the agent as one file with the
// Dockerfile of its image, and each Lambda function as one file.

import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, rmSync } from "node:fs";
import { build } from "esbuild";
import { agentBuild } from "../src/local/agent-image/agent-bundle.ts";
import { buildFunctions } from "./function-bundles.ts";

rmSync("dist", { recursive: true, force: true });

const compiled = spawnSync("node_modules/.bin/tsc", ["-p", "tsconfig.build.json"], {
  stdio: "inherit",
});
if (compiled.status !== 0) process.exitCode = 1;
else await finish();

async function finish(): Promise<void> {
  copyFileSync("src/agent/boot.sh", "dist/agent/boot.sh");
  copyFileSync("src/agent/Dockerfile", "dist/agent/Dockerfile");
  chmodSync("dist/cli/main.js", 0o755);
  mkdirSync("dist/bundles", { recursive: true });
  await build({
    entryPoints: ["src/agent/main.ts"],
    outfile: "dist/bundles/agent.mjs",
    ...agentBuild,
  });
  for (const { name, bytes } of await buildFunctions("dist/functions")) {
    console.log(`${name.padEnd(10)}${(bytes / 1024).toFixed(0).padStart(6)} KB`);
  }
}
