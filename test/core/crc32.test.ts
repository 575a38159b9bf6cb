import { crc32 as platformCrc32 } from "node:zlib";
import { expect, test } from "vitest";
import { crc32 } from "../../src/core/crc32.ts";
import { below, bytesOf, seededRandom } from "./filter-runs.ts";

test.each([
  ["", 0],
  ["123456789", 0xcbf43926],
  ["The quick brown fox jumps over the lazy dog", 0x414fa339],
])("of %j", (text, expected) => {
  expect(crc32(bytesOf(text))).toBe(expected);
});

test("goes on from the checksum of what came before", () => {
  expect(crc32(bytesOf("56789"), crc32(bytesOf("1234")))).toBe(0xcbf43926);
});

test("is the same as the platform's", () => {
  const random = seededRandom(32);
  let ours = 0;
  let theirs = 0;
  for (let round = 0; round < 50; round++) {
    const bytes = Uint8Array.from({ length: below(random, 200) }, () => below(random, 256));
    ours = crc32(bytes, ours);
    theirs = platformCrc32(bytes, theirs);
    expect(ours).toBe(theirs);
  }
});
