// A job's variables: who wins, what they expand to, which are files, which must be masked.
// Expansion is one pass: a reference gives the unexpanded value of what it names, except that a
// reference to a file variable gives the file's path.

import { expandText } from "./expand.ts";
import { readBool } from "./go-bool.ts";
import type { BoolReading } from "./go-bool.ts";
import type { Job } from "./job.ts";
import { overridableEntries, sealedEntries } from "./runner-variables.ts";
import type { VariablesInput } from "./runner-variables.ts";
import type { VariableEntry } from "./variable-entry.ts";

export interface FileVariable {
  readonly key: string;
  readonly path: string;
  readonly content: string;
}

export interface JobVariables {
  /** The expanded value; a file variable gives its path; "" if there is none. */
  readonly get: (key: string) => string;
  readonly has: (key: string) => boolean;
  /** Puts the (expanded) variables into a text, as `get` gives them. */
  readonly expand: (text: string) => string;
  /** What scripts export. */
  readonly environment: () => ReadonlyMap<string, string>;
  /** What has to be written before any script runs, byte for byte. */
  readonly files: () => readonly FileVariable[];
  /** Expanded values to be masked, of overridden variables too. */
  readonly maskedValues: () => readonly string[];
  /** The same with more on top: `[{ key: "CI_JOB_STATUS", value: "failed" }]`. */
  readonly with: (extra: readonly VariableEntry[]) => JobVariables;
  /** Absent, empty or unreadable gives the fallback; unreadable with a warning. */
  readonly bool: (key: string, fallback: boolean) => BoolReading;
  /** What was odd about the variables, for the job's log. Never a value. */
  readonly warnings: readonly string[];
}

/** Everything a job's scripts see, and everything its settings are read from. */
export function buildVariables(input: VariablesInput): JobVariables {
  const { job, dirs } = input;
  const overridable = overridableEntries(input);
  const payload = job.variables.map((variable) => ({
    ...variable,
    value: variable.value.reveal(),
  }));
  return jobVariables([...overridable.entries, ...payload, ...sealedEntries(input)], {
    tempDir: dirs.tempDir,
    warnings: overridable.warnings,
    alsoMasked: payloadTokens(job),
  });
}

/** Whatever names the payload gives them, or none: these open doors. */
export function payloadTokens(job: Job): readonly string[] {
  return [
    job.token,
    ...job.dependencies.map((dependency) => dependency.token),
    ...job.credentials.map((credential) => credential.password),
  ].map((token) => token.reveal());
}

interface Surroundings {
  /** Where file variables go, one file each, named like the variable. */
  readonly tempDir: string;
  readonly warnings?: readonly string[];
  readonly alsoMasked?: readonly string[];
}

/** Of several entries with one name the last wins. */
export function jobVariables(
  entries: readonly VariableEntry[],
  surroundings: Surroundings,
): JobVariables {
  const { tempDir, warnings = [], alsoMasked = [] } = surroundings;
  const last = new Map(entries.map((entry) => [entry.key, entry]));
  const pathOf = (entry: VariableEntry) => `${tempDir}/${entry.key}`;
  const unexpanded = (name: string) => {
    const entry = last.get(name);
    if (entry === undefined) return "";
    return entry.file === true ? pathOf(entry) : entry.value;
  };
  const contentOf = (entry: VariableEntry) =>
    entry.raw === true ? entry.value : expandText(entry.value, unexpanded);
  const environment = new Map(
    [...last].map(([key, entry]) => [key, entry.file === true ? pathOf(entry) : contentOf(entry)]),
  );
  const get = (key: string) => environment.get(key) ?? "";
  const fileEntries = [...last.values()].filter((entry) => entry.file === true);
  const [files, unwritable] = split(fileEntries, (entry) => isFileName(entry.key));

  return {
    get,
    has: (key) => last.has(key),
    expand: (text) => expandText(text, get),
    environment: () => environment,
    files: () =>
      files.map((entry) => ({ key: entry.key, path: pathOf(entry), content: contentOf(entry) })),
    maskedValues: () => {
      const masked = entries.filter((entry) => entry.masked === true).map(contentOf);
      return [...new Set([...alsoMasked, ...masked])].filter((value) => value !== "");
    },
    with: (extra) => jobVariables([...entries, ...extra], surroundings),
    bool: (key, fallback) => readBool(key, get(key), fallback),
    warnings: [
      ...warnings,
      ...unwritable.map(
        (entry) =>
          `The file variable ${JSON.stringify(entry.key)} cannot be written: its name is no file name`,
      ),
    ],
  };
}

/** A name that stays inside the folder it is put in. */
function isFileName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name);
}

function split<T>(items: readonly T[], test: (item: T) => boolean): [readonly T[], readonly T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}
