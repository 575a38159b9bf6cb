// Artifacts in and out: choosing, packing and uploading 20,000 small files and one file of 500 MB, and unpacking them,
// against `zip -1` and `unzip` on the same files in the same minute. Each of our runs is a process of its own, so that
// its peak memory is its own.

import { execFileSync, fork, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { extractZip } from "../src/agent/archive/zip-reader.ts";
import { uploadArtifacts } from "../src/agent/upload-artifacts.ts";
import type { CompressionLevel } from "../src/core/artifacts.ts";
import type { JobLog } from "../src/core/job-log.ts";
import { parseJob } from "../src/core/job.ts";

const smallFiles = 20_000;
const largeMegabytes = 500;
const rounds = { small: 3, large: 1 };

const silent: JobLog = {
  line: () => undefined,
  info: () => undefined,
  warning: (text) => console.error(text),
  error: (text) => console.error(text),
  output: () => undefined,
};

interface Measured {
  readonly seconds: number;
  readonly peakMegabytes: number;
}

const [task, ...rest] = process.argv.slice(2);
if (task === "pack") await pack(rest[0] ?? "", rest[1] ?? "", rest[2] as CompressionLevel);
else if (task === "unpack") await unpack(rest[0] ?? "", rest[1] ?? "");
else await compareAll();

async function compareAll(): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "burst-bench-"));
  try {
    await makeSmall(join(root, "small"));
    await makeLarge(join(root, "large"));
    for (const name of ["small", "large"] as const) await compare(root, name);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function compare(root: string, name: keyof typeof rounds): Promise<void> {
  const project = join(root, name);
  const zip = join(root, `${name}.zip`);
  const amount =
    name === "small" ? `${smallFiles} small files` : `one file of ${largeMegabytes} MB`;
  const hasZip = spawnSync("zip", ["-v"], { stdio: "ignore" }).error === undefined;
  const theirs = hasZip ? await best(rounds[name], () => zipOnce(project, zip)) : undefined;
  console.log(amount);
  if (theirs === undefined) console.log("  zip is not installed: no ratios");
  else tell("zip -1", theirs.seconds, theirs, name);
  for (const level of ["fast", "default"] as const) {
    const ours = await best(rounds[name], () =>
      child("pack", project, join(root, "scratch"), level),
    );
    tell(`pack and upload, ${level}`, theirs?.seconds, ours, name);
  }
  if (!hasZip) return;
  const unzip = await best(rounds[name], () => unzipOnce(zip, join(root, "theirs")));
  tell("unzip", unzip.seconds, unzip, name);
  const ours = await best(rounds[name], async () => {
    await rm(join(root, "ours"), { recursive: true, force: true });
    await mkdir(join(root, "ours"));
    return await child("unpack", zip, join(root, "ours"));
  });
  tell("unpack", unzip.seconds, ours, name);
}

function tell(
  what: string,
  theirSeconds: number | undefined,
  ours: Measured,
  name: keyof typeof rounds,
): void {
  const rate =
    name === "small"
      ? `${Math.round(smallFiles / ours.seconds)} files/s`
      : `${Math.round(largeMegabytes / ours.seconds)} MB/s`;
  const ratio = theirSeconds === undefined ? "" : `${(ours.seconds / theirSeconds).toFixed(2)}x`;
  const columns = [
    `  ${what.padEnd(26)}`,
    `${ours.seconds.toFixed(2)} s`.padStart(9),
    rate.padStart(16),
    ratio.padStart(8),
    ours.peakMegabytes === 0 ? "" : `${Math.round(ours.peakMegabytes)} MB peak`.padStart(14),
  ];
  console.log(columns.join(""));
}

/** What the code can do, whatever else the machine is doing. */
async function best(count: number, measure: () => Promise<Measured>): Promise<Measured> {
  const results: Measured[] = [];
  for (let round = 0; round < count; round++) results.push(await measure());
  return {
    seconds: Math.min(...results.map(({ seconds }) => seconds)),
    peakMegabytes: Math.max(...results.map(({ peakMegabytes }) => peakMegabytes)),
  };
}

async function zipOnce(project: string, zip: string): Promise<Measured> {
  await rm(zip, { force: true });
  const begin = performance.now();
  execFileSync("zip", ["-q", "-1", "-r", zip, "out"], { cwd: project });
  return { seconds: (performance.now() - begin) / 1000, peakMegabytes: 0 };
}

async function unzipOnce(zip: string, into: string): Promise<Measured> {
  await rm(into, { recursive: true, force: true });
  const begin = performance.now();
  execFileSync("unzip", ["-q", zip, "-d", into]);
  return { seconds: (performance.now() - begin) / 1000, peakMegabytes: 0 };
}

/** Time of the work alone, without the start of the process. */
async function child(...args: readonly string[]): Promise<Measured> {
  return await new Promise((resolve, reject) => {
    const process = fork(fileURLToPath(import.meta.url), [...args]);
    process.once("message", (measured) => resolve(measured as Measured));
    process.once("exit", (status) => reject(new Error(`${args.join(" ")} ended with ${status}`)));
  });
}

async function measured(work: () => Promise<void>): Promise<void> {
  const begin = performance.now();
  await work();
  const seconds = (performance.now() - begin) / 1000;
  process.send?.({ seconds, peakMegabytes: process.resourceUsage().maxRSS / 1000 });
  process.disconnect();
}

async function pack(projectDir: string, tempDir: string, level: CompressionLevel): Promise<void> {
  const server = createServer((incoming, response) => {
    incoming.resume().once("end", () => response.writeHead(201).end());
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const artifact = { artifact_type: "archive", artifact_format: "zip", paths: ["out"] };
  const parsed = parseJob({ id: 1, token: "t", artifacts: [artifact] });
  if (parsed.kind === "invalid") throw new Error(parsed.message);
  const { job } = parsed;
  await measured(async () => {
    const outcome = await uploadArtifacts({
      job,
      specs: job.artifacts,
      projectDir,
      tempDir,
      expand: (text) => (text.includes("$") ? "" : text),
      compressionLevel: level,
      untracked: () => Promise.resolve([]),
      upload: async ({ body }) => {
        await post(port, body());
        return { kind: "uploaded" };
      },
      log: silent,
      signal: new AbortController().signal,
    });
    if (outcome.kind === "failed") throw new Error(outcome.message);
  });
  server.close();
}

async function post(port: number, body: Readable): Promise<void> {
  const sending = request({ port, host: "127.0.0.1", method: "POST" });
  const answered = new Promise<void>((resolve, reject) => {
    sending.once("response", (response) => void response.resume().once("end", resolve));
    sending.once("error", reject);
  });
  await pipeline(body, sending);
  await answered;
}

async function unpack(file: string, projectDir: string): Promise<void> {
  const signal = new AbortController().signal;
  await measured(async () => await extractZip({ file, projectDir, log: silent, signal }));
}

/** Pieces of source text, 200 to 2,000 bytes, in 200 directories. */
async function makeSmall(project: string): Promise<void> {
  const text = words(200_000);
  for (let i = 0; i < smallFiles; i++) {
    const directory = join(project, "out", `d${i % 200}`);
    if (i < 200) await mkdir(directory, { recursive: true });
    const from = (i * 104_729) % (text.length - 2000);
    const length = 200 + ((i * 7919) % 1800);
    await writeFile(join(directory, `file-${i}.txt`), text.slice(from, from + length));
  }
}

/** Every other megabyte compresses well, the rest not at all. */
async function makeLarge(project: string): Promise<void> {
  await mkdir(join(project, "out"), { recursive: true });
  const file = join(project, "out", "large.bin");
  await pipeline(async function* megabytes() {
    for (let i = 0; i < largeMegabytes; i++) {
      yield i % 2 === 0 ? Buffer.from(words(1e6, i)) : noise(1e6, i);
    }
  }, createWriteStream(file));
  if ((await stat(file)).size !== largeMegabytes * 1e6) throw new Error("the large file is wrong");
}

function words(length: number, seed = 1): string {
  const vocabulary = Array.from({ length: 3000 }, (_, i) =>
    createHash("sha256")
      .update(`${i}`)
      .digest("base64")
      .slice(0, 2 + (i % 9)),
  );
  const parts: string[] = [];
  let state = seed + 1;
  for (let size = 0; size < length;) {
    state = (state * 48_271) % 2_147_483_647;
    const word = vocabulary[state % vocabulary.length] ?? "";
    parts.push(word);
    size += word.length + 1;
  }
  return `${parts.join(" ")} `.slice(0, length).padEnd(length);
}

function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 32) {
    createHash("sha256").update(`${seed} ${at}`).digest().copy(bytes, at);
  }
  return bytes;
}
