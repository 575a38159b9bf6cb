// Bytes per second through the trace's filters, one core: the whole chain and each link alone.
// Lines of 60 to 120 bytes in writes of 64 KiB, 50 secrets of 8 to 40 bytes, 15 token prefixes.
// By itself: npx tsx bench/trace-filter.ts

import { crc32 as platformCrc32 } from "node:zlib";
import type { ByteFilter } from "../src/core/byte-filter.ts";
import { crc32 } from "../src/core/crc32.ts";
import { createPhraseMask } from "../src/core/mask.ts";
import { createTimestamps } from "../src/core/timestamps.ts";
import { createTokenPrefixMask, jobTokenPrefixes } from "../src/core/token-prefixes.ts";
import { createTraceFilter } from "../src/core/trace-filter.ts";
import { createUrlParamMask } from "../src/core/url-params.ts";
import { createUtf8Repair } from "../src/core/utf8.ts";
import { logText, secretOf, secrets } from "./log-text.ts";

const chunkBytes = 64 * 1024;
const chunkCount = 64;
const rounds = 50;
const writesPerRound = 128;

const tokenPrefixes = jobTokenPrefixes(["acme-pat-"], true);
const now = () => Date.now();

const ascii = buildLog((line) => line);
const accented = buildLog((line) => `${line} – ✓ größer`);
const leaky = buildLog((line, number) =>
  number % 20 === 0 ? `${line} ${secretOf(number)}` : line,
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
  const all = logText(chunkBytes * chunkCount, decorate);
  return Array.from({ length: chunkCount }, (_, index) =>
    all.subarray(index * chunkBytes, (index + 1) * chunkBytes),
  );
}
