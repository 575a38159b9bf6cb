import { expect, test } from "vitest";
import { expandText } from "../../src/core/expand.ts";

const values: Readonly<Record<string, string>> = { A: "one", B_2: "two", AB: "three", C: "$A" };
const lookup = (name: string) => values[name] ?? "";

test.each([
  ["a bare name is put in", "x $A y", "x one y"],
  ["a name in braces is put in", "x${A}y", "xoney"],
  ["the longest run of name characters is the name", "$AB$A", "threeone"],
  ["digits and underscores belong to a name", "$B_2", "two"],
  ["an unknown name is empty", "[$NOPE][${NOPE}]", "[][]"],
  ["what is put in is not expanded again", "$C", "$A"],
  ["two dollars are one", "$$A costs $$5", "$A costs $5"],
  ["two dollars in braces are one", "${$}", "$"],
  ["the shell's own parameters are empty", "<$1$9$0$@$*$#$!$?$->", "<>"],
  ["a digit is a name of its own", "$10", "0"],
  ["a dollar before anything else stays", "$ $/ $. $%", "$ $/ $. $%"],
  ["a dollar at the end stays", "price$", "price$"],
  ["empty braces vanish", "a${}b", "ab"],
  ["an unclosed brace loses only its opening", "a${AB", "aAB"],
  ["a shell's default value is no name and so empty", "${A:-x}", ""],
  ["a name ends where another alphabet begins", "$Aé", "oneé"],
  ["an empty text stays empty", "", ""],
])("%s", (_rule, text, expanded) => {
  expect(expandText(text, lookup)).toBe(expanded);
});
