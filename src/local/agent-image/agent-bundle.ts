// The agent as one file: in the built package it lies in dist/bundles, in a checkout it is made of the sources
// as they are now. And the options that make it, for both.

import { readdir, readFile } from "node:fs/promises";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { leanUndici } from "./lean-undici.ts";

const fromSources = extname(import.meta.url) === ".ts";
const root = new URL("../../../", import.meta.url);

const fixed = {
  bundle: true,
  platform: "node",
  target: "node20.19",
  format: "esm",
  legalComments: "linked",
  // Every job waits for it to be read. Names stay, for whoever reads a stack.
  minifyWhitespace: true,
  minifySyntax: true,
  // Libraries that are CommonJS ask for Node's own modules by require.
  banner: {
    js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
  },
} as const;

/** For esbuild. */
export const agentBuild = { ...fixed, plugins: [leanUndici] };

/** Names and contents of the files that make up the agent. */
export async function agentBundle(): Promise<ReadonlyMap<string, Uint8Array>> {
  return fromSources ? await bundleSources() : await builtBundle();
}

/** Of the image that these files go into. */
export async function agentDockerfile(): Promise<Uint8Array> {
  const folder = fromSources ? "src/agent/" : "dist/agent/";
  return await readFile(new URL(`${folder}Dockerfile`, root));
}

async function builtBundle(): Promise<ReadonlyMap<string, Uint8Array>> {
  const folder = new URL("dist/bundles/", root);
  const names = (await readdir(folder)).filter((name) => name.startsWith("agent.mjs")).toSorted();
  const contents = await Promise.all(names.map((name) => readFile(new URL(name, folder))));
  return new Map(names.map((name, index) => [name, contents[index] ?? Buffer.alloc(0)]));
}

async function bundleSources(): Promise<ReadonlyMap<string, Uint8Array>> {
  // oxlint-disable-next-line no-restricted-imports -- a checkout has it, the built package does without
  const { build } = await import("esbuild");
  const checkout = fileURLToPath(root);
  const { outputFiles } = await build({
    ...agentBuild,
    absWorkingDir: checkout,
    entryPoints: ["src/agent/main.ts"],
    outfile: "agent.mjs",
    write: false,
  });
  return new Map(outputFiles.map(({ path, contents }) => [path.slice(checkout.length), contents]));
}
