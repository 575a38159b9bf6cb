// Bytes per second through the trace's filters, one core: the whole chain and each link alone.
// Lines of 60 to 120 bytes in writes of 64 KiB, 50 secrets of 8 to 40 bytes, 15 token prefixes.

import { crc32 as platformCrc32 } from "node:zlib";
import type { ByteFilter } from "../src/core/byte-filter.ts";
import { crc32 } from "../src/core/crc32.ts";
import { createPhraseMask } from "../src/core/mask.ts";
import { createTimestamps } from "../src/core/timestamps.ts";
import { createTokenPrefixMask, jobTokenPrefixes } from "../src/core/token-prefixes.ts";
import { createTraceFilter } from "../src/core/trace-filter.ts";
import { createUrlParamMask } from "../src/core/url-params.ts";
import { createUtf8Repair } from "../src/core/utf8.ts";

const chunkBytes = 64 * 1024;
const chunkCount = 64;
const rounds = 50;
const writesPerRound = 128;

const random = lehmer(20260117);
const secrets = Array.from({ length: 50 }, () => word(8 + Math.floor(random() * 33)));
const tokenPrefixes = jobTokenPrefixes(["acme-pat-"], true);
const now = () => Date.now();

const ascii = buildLog((line) => line);
const accented = buildLog((line) => `${line} – ✓ größer`);
const leaky = buildLog((line, number) =>
  number % 20 === 0 ? `${line} ${secrets[number % secrets.length]}` : line,
);

const chain = (timestamps: boolean, some = secrets) =>
  createTraceFilter({ secrets: some, tokenPrefixes, timestamps, stream: "01O", now });

report("whole chain, timestamps", () => chain(true), ascii);
report("whole chain, timestamps, UTF-8 in each line", () => chain(true), accented);
report("whole chain, timestamps, a secret in 1 of 20 lines", () => chain(true), leaky);
report(
  "whole chain, timestamps, one secret of 3 bytes more",
  () => chain(true, [...secrets, "q7X"]),
  ascii,
);
report("whole chain, no timestamps", () => chain(false), ascii);
report("UTF-8 repair", createUtf8Repair, ascii);
report("secrets", () => createPhraseMask(secrets), ascii);
report("URL parameters", createUrlParamMask, ascii);
report("token prefixes", () => createTokenPrefixMask(tokenPrefixes), ascii);
report("timestamps", () => createTimestamps("01O", now), ascii);
report("CRC-32, ours", () => checksum(crc32), ascii);
report("CRC-32, the platform's", () => checksum(platformCrc32), ascii);
console.log(`memory: ${Math.round(process.memoryUsage().rss / 1e6)} MB`);

/** The best of some rounds: what the code can do, whatever else the machine is doing. */
function report(name: string, create: () => ByteFilter, chunks: readonly Uint8Array[]): void {
  let best = 0;
  for (let round = 0; round < rounds; round++) {
    const filter = create();
    let bytes = 0;
    const begin = performance.now();
    for (let count = 0; count < writesPerRound; count++) {
      const chunk = chunks[count % chunks.length];
      if (chunk === undefined) throw new Error("no chunks to measure with");
      filter.write(chunk);
      bytes += chunk.length;
    }
    filter.close();
    best = Math.max(best, bytes / 1e6 / ((performance.now() - begin) / 1000));
  }
  console.log(`${name.padEnd(56)}${best.toFixed(0).padStart(6)} MB/s`);
}

function checksum(crc: (bytes: Uint8Array, previous: number) => number): ByteFilter {
  let value = 0;
  return {
    write(chunk) {
      value = crc(chunk, value);
      return chunk;
    },
    close: () => new Uint8Array(0),
  };
}

function buildLog(decorate: (line: string, number: number) => string): readonly Uint8Array[] {
  const words = (
    "compiling linking src/core/main.ts warning: unused variable [12/345] node_modules/.cache/foo " +
    "0.123s https://registry.example.com/pkg?arch=amd64&os=linux GET 200 error TS2345: argument of " +
    "type #17 sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 ok global-lib"
  ).split(" ");
  const lines: string[] = [];
  for (let size = 0; size < chunkBytes * chunkCount;) {
    const length = 60 + random() * 60;
    let line = "";
    while (line.length < length) line += `${words[Math.floor(random() * words.length)]} `;
    lines.push(decorate(line, lines.length));
    size += line.length;
  }
  const all = new TextEncoder().encode(`${lines.join("\n")}\n`);
  return Array.from({ length: chunkCount }, (_, index) =>
    all.subarray(index * chunkBytes, (index + 1) * chunkBytes),
  );
}

function word(length: number): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return Array.from({ length }, () => letters[Math.floor(random() * letters.length)]).join("");
}

/** Numbers in [0, 1), the same in every run. */
function lehmer(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}
