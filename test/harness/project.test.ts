import { expect, test } from "vitest";
import { plainText } from "./project.ts";

const plain = (...lines: readonly string[]) =>
  plainText(Buffer.from(lines.map((line) => `2026-01-01T00:00:00.000000Z ${line}\n`).join("")));

test("of a stamped trace, a line that goes on is added to the last one of its own stream", () => {
  expect(plain("01O first", "01E error", "01O+ half", "01E+ also", "01O second")).toBe(
    "first half\nerror also\nsecond\n",
  );
});
