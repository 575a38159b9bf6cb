import { expect, test } from "vitest";
import { parseExpiry } from "../../src/stand-in/artifact-types.ts";
import { parseDotenv } from "../../src/stand-in/dotenv.ts";

test.each([
  ["42", 42],
  ["42 seconds", 42],
  ["3 mins 4 sec", 184],
  ["2 hrs 20 min", 8400],
  ["2h20min", 8400],
  ["1 day", 86_400],
  ["1 week, 2 days and 1 hour", 781_200],
  ["6 mos 1 day", 15_638_400],
  ["47 yrs 6 mos and 4d", 47 * 31_557_600 + 6 * 2_592_000 + 4 * 86_400],
  ["3 weeks", 1_814_400],
])("%s is %i seconds", (text, seconds) => {
  expect(parseExpiry(text)).toEqual({ kind: "after", seconds });
});

test("never is never", () => {
  expect(parseExpiry("Never")).toEqual({ kind: "never" });
});

test.each(["", "soon", "1 fortnight", "week", "0 days", "-1 day", "1 day tomorrow"])(
  "'%s' is no duration",
  (text) => {
    expect(parseExpiry(text)).toEqual({ kind: "unreadable" });
  },
);

test("a dotenv report is KEY=value lines; blanks at the ends fall off, quotes do not", () => {
  const parsed = parseDotenv('A=1\n B_2 = x=y \r\nC="q"\nD=\nA=2\n');
  expect(parsed.kind === "variables" ? [...parsed.variables] : []).toEqual([
    ["A", "2"],
    ["B_2", "x=y"],
    ["C", '"q"'],
    ["D", ""],
  ]);
});

test.each([
  ["no equals sign", "A"],
  ["a blank line", "A=1\n\nB=2\n"],
  ["a comment", "# A=b"],
  ["a bad name", "A-1=b"],
  [
    "too many variables",
    Array.from({ length: 21 }, (_, index) => `A${String(index)}=b`).join("\n"),
  ],
])("a dotenv report with %s is refused", (_what, text) => {
  expect(parseDotenv(text).kind).toBe("invalid");
});
