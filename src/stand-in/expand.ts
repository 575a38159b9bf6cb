// Pure: the one expansion of variables that GitLab does before it hands a job out. References to
// what it does not know stay as they are, and so do those to raw and file variables; `$$` and `%%`
// are left to the runner. A circle means that nothing at all is expanded.

import type { WireVariable } from "./pipeline/types.ts";

const name = "[A-Za-z_][A-Za-z0-9_]*";
const reference = new RegExp(`\\$\\$|%%|\\$\\{(${name})\\}|\\$(${name})|%(${name})%`, "g");

/** Sorted so that what a value refers to comes before it; of equal names the last one counts. */
export function expandAll(variables: readonly WireVariable[]): WireVariable[] {
  const sorted = sort(variables);
  if (sorted === undefined) return [...variables];
  const known = new Map<string, WireVariable>();
  return sorted.map((variable) => {
    const expanded = variable.raw
      ? variable
      : { ...variable, value: expand(variable.value, known) };
    known.set(expanded.key, expanded);
    return expanded;
  });
}

function expand(value: string, known: ReadonlyMap<string, WireVariable>): string {
  return value.replaceAll(
    reference,
    (whole: string, braced?: string, plain?: string, windows?: string) => {
      const variable = known.get(braced ?? plain ?? windows ?? "");
      if (variable === undefined || variable.file || variable.raw) return whole;
      return variable.value;
    },
  );
}

function referredKeys(variable: WireVariable): Set<string> {
  if (variable.raw) return new Set();
  const found = [...variable.value.matchAll(reference)];
  return new Set(found.flatMap((match) => match[1] ?? match[2] ?? match[3] ?? []));
}

/** Undefined when variables refer to each other in a circle. One that refers to itself is none. */
function sort(variables: readonly WireVariable[]): WireVariable[] | undefined {
  const byKey = new Map<string, WireVariable[]>();
  for (const variable of variables) {
    byKey.set(variable.key, [...(byKey.get(variable.key) ?? []), variable]);
  }
  const state = new Map<WireVariable, "open" | "done">();
  const sorted: WireVariable[] = [];

  function visit(variable: WireVariable): boolean {
    if (state.get(variable) === "done") return true;
    if (state.get(variable) === "open") return false;
    state.set(variable, "open");
    for (const key of referredKeys(variable)) {
      for (const needed of byKey.get(key) ?? []) {
        if (needed !== variable && !visit(needed)) return false;
      }
    }
    state.set(variable, "done");
    sorted.push(variable);
    return true;
  }

  return variables.every(visit) ? sorted : undefined;
}
