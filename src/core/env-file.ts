// The environment file of a container on ECS: lines NAME=VALUE, read without any quoting, so not everything can be
// said in one. What cannot is reported, for a warning in the job's log; but not empty values, which ECS passes over:
// every job has many of those.

import type { EnvironmentEntry } from "./services.ts";

export interface EnvironmentFile {
  /** As it is stored. Secrets in the clear. */
  readonly text: string;
  /** Names whose values have no place in such a file, each with why. */
  readonly leftOut: readonly { readonly name: string; readonly why: string }[];
}

/** The longest line that ECS reads. */
const longestLine = 64 * 1024 - 1;

export function environmentFile(entries: readonly EnvironmentEntry[]): EnvironmentFile {
  const lines: string[] = [];
  const leftOut: { name: string; why: string }[] = [];
  for (const { name, value } of entries) {
    if (value.isEmpty) continue;
    const line = `${name}=${value.reveal()}`;
    const why = obstacle(name, value.reveal(), line);
    if (why === undefined) lines.push(line);
    else leftOut.push({ name, why });
  }
  return { text: lines.map((line) => `${line}\n`).join(""), leftOut };
}

function obstacle(name: string, value: string, line: string): string | undefined {
  if (name === "" || /^#|^\s|[=\0\r\n]/.test(name)) return "its name cannot be a variable's";
  if (/[\r\n]/.test(value)) return "its value has line breaks";
  if (value.includes("\0")) return "its value has a NUL character";
  if (new TextEncoder().encode(line).length > longestLine) return "its value is too long";
  return undefined;
}
