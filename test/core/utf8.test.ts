import { expect, test } from "vitest";
import { createUtf8Repair } from "../../src/core/utf8.ts";
import {
  below,
  bytesOf,
  cutAtRandom,
  pick,
  runBytes,
  seededRandom,
  textOf,
} from "./filter-runs.ts";

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

test.each([
  ["ASCII", "61 62 63", "abc"],
  ["two, three and four bytes", "c3 a9 e2 9c 93 f0 9f 98 80", "é✓😀"],
  ["a lone continuation", "61 80 62", "a\ufffdb"],
  ["a byte that is in no character", "ff fe", "\ufffd\ufffd"],
  ["a cut character, each of its bytes", "e2 9c 61", "\ufffd\ufffda"],
  ["an overlong form", "c0 af", "\ufffd\ufffd"],
  ["an overlong form of three bytes", "e0 80 af", "\ufffd\ufffd\ufffd"],
  ["an overlong form of four bytes", "f0 80 80 af", "\ufffd\ufffd\ufffd\ufffd"],
  ["a surrogate", "ed a0 80", "\ufffd\ufffd\ufffd"],
  ["beyond the last character", "f4 90 80 80", "\ufffd\ufffd\ufffd\ufffd"],
  ["a cut character at the end of the stream", "61 f0 9f 98", "a\ufffd\ufffd\ufffd"],
  ["a character of Latin-1 in a text", "67 72 f6 df 65 20 e2 9c 93", "gr\ufffd\ufffde ✓"],
])("%s", (_, bytes, expected) => {
  expect(textOf(runBytes(createUtf8Repair(), [hex(bytes)]))).toBe(expected);
  const one = cutAtRandom(() => 0.6, hex(bytes), 1);
  expect(textOf(runBytes(createUtf8Repair(), one))).toBe(expected);
});

test("a character cut by the end of a write waits for its other half", () => {
  const repair = createUtf8Repair();
  expect(textOf(repair.write(hex("61 e2 9c")))).toBe("a");
  expect(textOf(repair.write(hex("93 62")))).toBe("✓b");
  expect(repair.close()).toHaveLength(0);
});

test("valid text comes out as the same memory", () => {
  const chunk = bytesOf("valid – text ✓ of more than some words, with ASCII before and after\n");
  expect(createUtf8Repair().write(chunk)).toBe(chunk);
});

test("however random bytes are cut, the same valid UTF-8 comes out", () => {
  const random = seededRandom(8);
  const parts = ["é", "✓", "😀", "plain ASCII, a little longer", "\n"].map(bytesOf);
  for (let round = 0; round < 300; round++) {
    const bytes = Uint8Array.from(
      Array.from({ length: below(random, 20) }, () =>
        random() < 0.5 ? [0x80 + below(random, 128)] : [...pick(random, parts)],
      ).flat(),
    );
    const whole = runBytes(createUtf8Repair(), [bytes]);
    expect(() => textOf(whole)).not.toThrow();
    expect(runBytes(createUtf8Repair(), cutAtRandom(random, bytes, 5))).toEqual(whole);
  }
});
