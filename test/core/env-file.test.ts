import { expect, test } from "vitest";
import { environmentFile } from "../../src/core/env-file.ts";
import { Secret } from "../../src/core/secret.ts";

function file(values: Readonly<Record<string, string>>) {
  return environmentFile(
    Object.entries(values).map(([name, value]) => ({ name, value: new Secret(value) })),
  );
}

test("a line is a variable, and nothing is quoted: ECS takes quotes as they are", () => {
  const { text, leftOut } = file({ A: "1", B: 'with blanks, "quotes", $signs and = too', C: "#x" });
  expect(text).toBe('A=1\nB=with blanks, "quotes", $signs and = too\nC=#x\n');
  expect(leftOut).toEqual([]);
});

test("no variables, no text", () => {
  expect(file({})).toEqual({ text: "", leftOut: [] });
});

test("an empty value is left out without a word: ECS would pass over it", () => {
  expect(file({ EMPTY: "", A: "1" })).toEqual({ text: "A=1\n", leftOut: [] });
});

test.each<[rule: string, name: string, value: string, why: string]>([
  ["a value of two lines", "KEY", "one\ntwo", "its value has line breaks"],
  ["a value that ends in a line break", "KEY", "one\n", "its value has line breaks"],
  ["a value with a carriage return", "KEY", "one\rtwo", "its value has line breaks"],
  ["a value with a NUL", "KEY", "a\0b", "its value has a NUL character"],
  ["a value longer than a line may be", "KEY", "ü".repeat(33_000), "its value is too long"],
  ["a name that makes a comment", "#KEY", "1", "its name cannot be a variable's"],
  ["a name with =", "A=B", "1", "its name cannot be a variable's"],
  ["a name with a line break", "A\nB", "1", "its name cannot be a variable's"],
  ["no name", "", "1", "its name cannot be a variable's"],
])("what the file cannot say is reported, and the rest is said: %s", (_, name, value, why) => {
  expect(file({ [name]: value, OTHER: "x" })).toEqual({
    text: "OTHER=x\n",
    leftOut: [{ name, why }],
  });
});

test("a report never has the value", () => {
  expect(JSON.stringify(file({ KEY: "s3cret\nline" }).leftOut)).not.toContain("s3cret");
});
