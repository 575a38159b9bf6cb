import { expect, test } from "vitest";
import { parseCondition } from "../../../src/stand-in/pipeline/expression.ts";

const variables: Readonly<Record<string, string>> = {
  BRANCH: "main",
  TAG: "v1.2.3",
  EMPTY: "",
  PATTERN: "/^ma/",
  TEXT: "the main thing",
  LINES: "one\nTwo",
  PATH: "a/b",
};

function holds(text: string): boolean | string {
  const condition = parseCondition(text);
  return condition.kind === "condition"
    ? condition.holds((name) => variables[name])
    : condition.message;
}

test.each([
  ["$BRANCH", true],
  ["$EMPTY", false],
  ["$MISSING", false],
  ['"text"', true],
  ["null", false],
  ['$BRANCH == "main"', true],
  ["$BRANCH == 'main'", true],
  ['"main" == $BRANCH', true],
  ['$BRANCH == "develop"', false],
  ['$BRANCH != "develop"', true],
  ["$BRANCH == $BRANCH", true],
  ["$MISSING == null", true],
  ["$EMPTY == null", false],
  ['$EMPTY == ""', true],
  ['$MISSING == ""', false],
  ["$BRANCH != null", true],
  ["$TAG =~ /^v\\d+\\.\\d+\\.\\d+$/", true],
  ["$TAG =~ /^V1/", false],
  ["$TAG =~ /^V1/i", true],
  ["$TAG !~ /^release/", true],
  ["$MISSING =~ /^a/", false],
  ["$MISSING !~ /^a/", true],
  ["$BRANCH =~ $PATTERN", true],
  ["$TAG =~ $PATTERN", false],
  ["$BRANCH =~ $MISSING", false],
  ["$BRANCH =~ $TEXT", true],
  ["$TAG =~ $TEXT", false],
  ['$BRANCH =~ "/^ma/"', true],
  ["$PATH =~ /^a\\/b$/", true],
  ["$LINES =~ /^Two$/", false],
  ["$LINES =~ /^Two$/m", true],
  ["$LINES =~ /one.Two/", false],
  ["$LINES =~ /one.Two/s", true],
  ["$LINES =~ /(?i)TWO/", true],
  ["$BRANCH =~ /\\Amain\\z/", true],
  ["$BRANCH =~ /^[[:alpha:]]+$/", true],
  ["$BRANCH =~ /ma+?/U", true],
  ['$BRANCH == "main" && $TAG', true],
  ["$BRANCH && $MISSING", false],
  ["$MISSING || $BRANCH", true],
  ["$MISSING || $EMPTY", false],
  ["$EMPTY && $BRANCH", true],
  ["$EMPTY || $BRANCH", false],
  ['$MISSING && $BRANCH || $TAG == "v1.2.3"', true],
  ["$MISSING && ($BRANCH || $TAG)", false],
  ["($MISSING || $BRANCH) && ($EMPTY == '' && $TAG)", true],
  ["!$MISSING", true],
  ["!$BRANCH", false],
  ['!($BRANCH == "main") || $TAG', true],
  ["$A==null&&$BRANCH=='main'", true],
  ["$BRANCH\n  == 'main'", true],
])("the condition %s gives %s", (text, expected) => {
  expect(holds(text)).toBe(expected);
});

test.each([
  ["", "is empty"],
  ["$BRANCH ==", "ends where a variable, a string or null should follow"],
  ["== $BRANCH", 'has "==" where a variable, a string or null should be'],
  ["$BRANCH $TAG", 'has "$TAG" where it should end or go on with && or ||'],
  ["($BRANCH", 'has a "(" without its ")"'],
  ["$BRANCH)", 'has ")" where it should end or go on with && or ||'],
  ["${BRANCH}", "cannot be read from '${BRANCH}' on: write $NAME, without braces"],
  ["$BRANCH = 'main'", "cannot be read from '= 'main'' on: comparisons are ==, !=, =~ and !~"],
  ["$A & $B", "cannot be read from '& $B' on: conditions are joined by && and ||"],
  [
    "$A == true",
    "cannot be read from 'true' on: strings stand in quotes, patterns between slashes",
  ],
  ["$A =~ 'main'", "has no /pattern/ and no variable on the right of =~"],
  ["$A =~ null", "has no /pattern/ and no variable on the right of =~"],
  ["$A =~ /(/", "has the pattern /(/, which is not a regular expression"],
  [
    "$A =~ /a(?=b)/",
    "has the pattern /a(?=b)/, which uses look-around; GitLab's patterns have none",
  ],
  [
    "$A =~ /(a)\\1/",
    "has the pattern /(a)\\1/, which uses references; GitLab's patterns have none",
  ],
  [
    Array.from({ length: 60 }, () => "$A").join(" && "),
    "has more than 100 words; split it into several rules",
  ],
])("the condition %s is refused: it %s", (text, message) => {
  expect(holds(text)).toBe(message);
});
