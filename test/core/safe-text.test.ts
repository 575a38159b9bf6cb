import { expect, test } from "vitest";
import { safeClientToken, safeName, safeStartedBy, safeTags } from "../../src/core/safe-text.ts";

const legal = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

test.each<[rule: string, value: string, tag: string]>([
  ["what AWS takes stays", "group/pro-ject_1.0 a:b=c+d@e", "group/pro-ject_1.0 a:b=c+d@e"],
  ["letters of any script stay", "Grüße 世界 ١٢", "Grüße 世界 ١٢"],
  [
    "signs that it refuses become _",
    "fix #12 [a] (b) {c} a,b;c'd\"",
    "fix _12 _a_ _b_ _c_ a_b_c_d_",
  ],
  ["line breaks and tabs become blanks", "a\r\n\tb", "a b"],
  ["control characters become _", "a\u0007b", "a_b"],
  ["a face becomes one _", "ship it 🚀", "ship it _"],
  ["letters with marks are put together first", "e\u0301", "é"],
  ["nothing stays nothing", "", ""],
])("a tag's value: %s", (_, value, tag) => {
  expect(safeTags({ key: value })).toEqual([{ key: "key", value: tag }]);
});

test("a tag's value has 256 characters, and none is cut in two", () => {
  expect(safeTags({ ref: "x".repeat(300) })[0]?.value).toHaveLength(256);
  const [tag] = safeTags({ ref: `${"x".repeat(255)}𐐷𐐷` });
  expect(tag?.value).toBe("x".repeat(255));
});

test("a tag's key has 128 characters", () => {
  expect(safeTags({ ["k".repeat(200)]: "v" })[0]?.key).toHaveLength(128);
});

test("keys that AWS keeps for itself, empty ones and second ones are left out", () => {
  expect(safeTags({ "aws:x": "1", "AWS:y": "2", "": "3", "a#": "4", "a[": "5" })).toEqual([
    { key: "a_", value: "4" },
  ]);
});

test("a task has 50 tags at most, the first ones", () => {
  const labels = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`k${index}`, "v"]));
  const tags = safeTags(labels);
  expect(tags).toHaveLength(50);
  expect(tags.at(-1)?.key).toBe("k49");
});

test("whatever is written, AWS takes it", () => {
  const all = Array.from({ length: 0x3000 }, (_, code) => String.fromCodePoint(code)).join("");
  for (let from = 0; from < all.length; from += 200) {
    const [tag] = safeTags({ key: all.slice(from, from + 200) });
    expect(tag?.value).toMatch(legal);
  }
});

test.each<[rule: string, actual: string, expected: string]>([
  ["a name has letters, digits, - and _", safeName("Ä b.c/d_e-1"), "--b-c-d_e-1"],
  ["a name has 255 characters", safeName("x".repeat(300)), "x".repeat(255)],
  [
    "a claim's id is what startedBy takes",
    safeStartedBy("team_1/1024/0123-ab"),
    "team_1/1024/0123-ab",
  ],
  ["dots are not", safeStartedBy("a.b:c"), "a-b-c"],
  ["startedBy has 128 characters", safeStartedBy("x".repeat(300)), "x".repeat(128)],
  ["a client token has visible characters", safeClientToken("a b\u00e9~"), "a-b-~"],
  ["a client token has 64 of them", safeClientToken("x".repeat(300)), "x".repeat(64)],
])("%s", (_, actual, expected) => {
  expect(actual).toBe(expected);
});
