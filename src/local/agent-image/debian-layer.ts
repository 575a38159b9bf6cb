// A layer made of Debian packages, on a machine without a registry: mmdebstrap unpacks them with all they
// depend on, a script makes a working system of them, and the tar is kept for the next time. Packages are unpacked,
// not installed: nothing of them runs, and what dpkg takes for essential stays out.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { SettingsError } from "../../core/errors.ts";
import { sha256 } from "./image-archive.ts";
import type { Layer } from "./image-archive.ts";
import { unpackedSystem } from "./unpacked-system.ts";

export interface DebianLayer {
  /** Of the kept file. */
  readonly name: string;
  /** Debian's release; where a program of this machine goes in, the release must suit it. */
  readonly suite: string;
  readonly packages: readonly string[];
  /** Shell, run on this machine with the system's folder as $1, after the packages are unpacked. */
  readonly script: string;
  /** For the script. What it holds is a part of the layer's identity. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface LayerCache {
  readonly folder: string;
  /** Hears of what takes long. */
  readonly notice: (text: string) => void;
}

export const debianSuite = "bookworm";

/** Where layers are kept unless told otherwise: a checkout may be a fresh one, the machine seldom is. */
export function defaultLayerFolder(
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const cache = environment["XDG_CACHE_HOME"] ?? "";
  return join(cache === "" ? join(homedir(), ".cache") : cache, "gitlab-burst", "images");
}

export async function debianLayer(recipe: DebianLayer, cache: LayerCache): Promise<Layer> {
  const { suite, packages, script, environment } = recipe;
  const inputs = [suite, packages, script, unpackedSystem, environment, process.arch];
  const key = sha256(JSON.stringify(inputs)).slice(0, 16);
  const place = join(cache.folder, `${recipe.name}-${key}`);
  const kept = await keptLayer(place);
  if (kept !== undefined) return kept;
  await mkdir(cache.folder, { recursive: true });
  cache.notice(`making ${recipe.name} of Debian packages: ${packages.join(", ")}`);
  const started = performance.now();
  // Beside the result, so that it can be renamed.
  const scratch = await mkdtemp(join(cache.folder, ".making-"));
  try {
    const parts = join(scratch, "layer");
    await mkdir(parts);
    await debootstrap(recipe, scratch, join(parts, tarName));
    await writeFile(join(parts, digestName), await fileDigest(join(parts, tarName)));
    // Refused when another process was faster: then it is theirs that counts.
    await rename(parts, place).catch(() => undefined);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  await forgetOthers(cache.folder, recipe.name);
  const made = await keptLayer(place);
  if (made === undefined) throw new SettingsError(`cannot keep layers in ${cache.folder}`);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  cache.notice(`made ${recipe.name}: ${(made.sizeBytes / 1e6).toFixed(0)} MB in ${seconds} s`);
  return made;
}

const tarName = "layer.tar";
const digestName = "sha256";

async function keptLayer(place: string): Promise<Layer | undefined> {
  const file = join(place, tarName);
  try {
    const [{ size }, digest] = await Promise.all([
      stat(file),
      readFile(join(place, digestName), "utf8"),
    ]);
    const now = new Date();
    await utimes(place, now, now);
    return { digest, sizeBytes: size, tar: { file } };
  } catch {
    return undefined;
  }
}

async function fileDigest(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer);
  }
  return hash.digest("hex");
}

async function debootstrap(recipe: DebianLayer, scratch: string, tar: string): Promise<void> {
  const hooks = [join(scratch, "unpacked-system"), join(scratch, "script")] as const;
  await writeFile(hooks[0], `#!/bin/sh\n${unpackedSystem}`, { mode: 0o755 });
  await writeFile(hooks[1], `#!/bin/sh\n${recipe.script}`, { mode: 0o755 });
  const args = [
    "--variant=extract",
    "--quiet",
    "--format=tar",
    `--include=${recipe.packages.join(",")}`,
    ...aptOptions().map((option) => `--aptopt=${option}`),
    ...hooks.map((file) => `--extract-hook=${file}`),
    recipe.suite,
    tar,
  ];
  const child = spawn("mmdebstrap", args, {
    env: { ...process.env, ...recipe.environment, TMPDIR: scratch },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (bytes: Buffer) => (said = (said + bytes.toString()).slice(-4000)));
  const status = await new Promise<number | string>((resolve) => {
    child.on("error", (cause) => resolve(cause.message));
    child.on("close", (code, signal) => resolve(code ?? signal ?? "killed"));
  });
  if (status === 0) return;
  if (status === "spawn mmdebstrap ENOENT") {
    throw new SettingsError(
      `an image of Debian packages needs mmdebstrap, which is not here: apt-get install mmdebstrap`,
    );
  }
  throw new SettingsError(
    `mmdebstrap could not make ${recipe.name} (status ${status}):\n${said.trimEnd()}`,
  );
}

/** How this machine's own apt reaches its archive: proxies, clocks and the like. */
function aptOptions(): readonly string[] {
  const { stdout } = spawnSync("apt-config", ["dump"], { encoding: "utf8" });
  return (stdout ?? "")
    .split("\n")
    .filter((line) => /^Acquire::(?:https?|Check-|Retries|Force)[^ ]* ".+";$/.test(line));
}

/** Layers of the same name that nobody has used for a week. */
async function forgetOthers(folder: string, name: string): Promise<void> {
  const weekAgo = Date.now() - 7 * 24 * 3600 * 1000;
  for (const entry of await readdir(folder)) {
    if (entry.slice(0, -17) !== name) continue;
    const place = join(folder, entry);
    if ((await stat(place)).mtimeMs < weekAgo) await rm(place, { recursive: true, force: true });
  }
}
