// What lies below `/gitlab-burst/<env>/` in Parameter Store, sorted by runner; a parameter that is none of ours
// is told with the nearest name that is.

import { didYouMean } from "./nearest-name.ts";

export const runnerLeaves = ["token", "settings", "registry-auth"] as const;
export type RunnerLeaf = (typeof runnerLeaves)[number];

const runnerName = /^[A-Za-z0-9_-]{1,64}$/;

/** What is wrong with a runner's name; undefined where nothing is. */
export function runnerNameMistake(name: string): string | undefined {
  if (runnerName.test(name)) return undefined;
  return `the runner's name ${JSON.stringify(name)}: expected 1 to 64 letters, digits, - and _`;
}

export const environmentParameter = (path: string): string => `${path}/settings`;

export const runnerParameter = (path: string, runner: string, leaf: RunnerLeaf): string =>
  `${path}/runners/${runner}/${leaf}`;

export interface SortedParameters<T> {
  readonly environment: T | undefined;
  readonly runners: ReadonlyMap<string, Readonly<Partial<Record<RunnerLeaf, T>>>>;
  readonly mistakes: readonly string[];
}

export function sortParameters<T extends { readonly name: string }>(
  path: string,
  listed: readonly T[],
): SortedParameters<T> {
  let environment: T | undefined;
  const runners = new Map<string, Partial<Record<RunnerLeaf, T>>>();
  const mistakes: string[] = [];
  const badNames = new Set<string>();
  for (const parameter of listed) {
    const { name } = parameter;
    const [first = "", runner = "", leaf = "", ...deeper] = name.slice(path.length + 1).split("/");
    if (first === "settings" && runner === "") {
      environment = parameter;
      continue;
    }
    if (first !== "runners" || leaf === "" || deeper.length > 0) {
      const known = first === "runners" ? "" : didYouMean(first, ["settings", "runners"]);
      mistakes.push(
        `${name}: unknown parameter${known}: expected ${path}/settings or ${path}/runners/<name>/ and one of ${runnerLeaves.join(", ")}`,
      );
      continue;
    }
    const nameMistake = runnerNameMistake(runner);
    if (nameMistake !== undefined) {
      if (!badNames.has(runner)) mistakes.push(`${name}: ${nameMistake}`);
      badNames.add(runner);
      continue;
    }
    const known = runnerLeaves.find((candidate) => candidate === leaf);
    if (known === undefined) {
      const expected = `expected one of ${runnerLeaves.join(", ")}`;
      mistakes.push(`${name}: unknown parameter${didYouMean(leaf, runnerLeaves)}: ${expected}`);
      continue;
    }
    runners.set(runner, { ...runners.get(runner), [known]: parameter });
  }
  return { environment, runners, mistakes };
}
