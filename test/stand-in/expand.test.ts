import { expect, test } from "vitest";
import { expandAll } from "../../src/stand-in/expand.ts";
import type { WireVariable } from "../../src/stand-in/pipeline/types.ts";
import { variable } from "../../src/stand-in/variables.ts";

test.each<{ rule: string; given: WireVariable[]; expanded: Record<string, string> }>([
  {
    rule: "references are followed, in whatever order they were written",
    given: [variable("A", "$B/${C}"), variable("B", "b"), variable("C", "c-$B")],
    expanded: { A: "b/c-b", B: "b", C: "c-b" },
  },
  {
    rule: "the form of Windows is a reference too",
    given: [variable("A", "%B%"), variable("B", "b")],
    expanded: { A: "b", B: "b" },
  },
  {
    rule: "unknown references stay",
    given: [variable("A", "$HOME ${NONE} $")],
    expanded: { A: "$HOME ${NONE} $" },
  },
  {
    rule: "doubled signs stay for the runner",
    given: [variable("A", "$$B %%B"), variable("B", "b")],
    expanded: { A: "$$B %%B", B: "b" },
  },
  {
    rule: "raw variables are neither expanded nor put into others",
    given: [variable("A", "$B", { raw: true }), variable("B", "b"), variable("C", "$A")],
    expanded: { A: "$B", B: "b", C: "$A" },
  },
  {
    rule: "file variables are not put into others",
    given: [variable("A", "content", { file: true }), variable("B", "$A")],
    expanded: { A: "content", B: "$A" },
  },
  {
    rule: "a circle leaves everything as it is",
    given: [variable("A", "$B"), variable("B", "$A"), variable("C", "$D"), variable("D", "d")],
    expanded: { A: "$B", B: "$A", C: "$D", D: "d" },
  },
  {
    rule: "of equal names the last one counts, and may build on the one before",
    given: [variable("A", "1"), variable("A", "$A 2"), variable("B", "$A")],
    expanded: { A: "1 2", B: "1 2" },
  },
])("$rule", ({ given, expanded }) => {
  const result = expandAll(given);
  expect(result).toHaveLength(given.length);
  expect(Object.fromEntries(result.map(({ key, value }) => [key, value]))).toEqual(expanded);
});
