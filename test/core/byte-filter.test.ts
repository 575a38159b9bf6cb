import { expect, test } from "vitest";
import { type ByteFilter, chainFilters, concatBytes } from "../../src/core/byte-filter.ts";
import { bytesOf, runText, textOf } from "./filter-runs.ts";

/** Keeps the last byte of what it has seen, and adds `end` to the end. */
function lagging(end: string): ByteFilter {
  let held = bytesOf("");
  return {
    write(chunk) {
      const all = concatBytes(held, chunk);
      held = all.slice(Math.max(0, all.length - 1));
      return all.slice(0, Math.max(0, all.length - 1));
    },
    close: () => concatBytes(held, bytesOf(end)),
  };
}

test("each filter takes what the one before lets out, to the very end", () => {
  expect(runText(chainFilters([lagging("1"), lagging("2"), lagging("3")]), "a|bc|d")).toBe(
    "abcd123",
  );
});

test("a chain of no filters changes nothing", () => {
  expect(runText(chainFilters([]), "a|b")).toBe("ab");
});

test("joining with nothing copies nothing", () => {
  const some = bytesOf("some");
  expect(concatBytes(some, bytesOf(""))).toBe(some);
  expect(concatBytes(bytesOf(""), some)).toBe(some);
  expect(textOf(concatBytes(some, bytesOf(" more")))).toBe("some more");
});
