// Truth as GitLab Runner reads it from variables: Go's strconv.ParseBool, nothing more lenient.

const truths: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "TRUE", "true", "True"].map((text) => [text, true] as const),
  ...["0", "f", "F", "FALSE", "false", "False"].map((text) => [text, false] as const),
]);

/** undefined: the text is no truth value. */
export function parseBool(text: string): boolean | undefined {
  return truths.get(text);
}

export interface BoolReading {
  readonly value: boolean;
  readonly warning?: string;
}

/** Absent or empty gives the fallback silently; anything unreadable gives it with a warning. */
export function readBool(name: string, text: string, fallback: boolean): BoolReading {
  if (text === "") return { value: fallback };
  const value = parseBool(text);
  if (value !== undefined) return { value };
  return {
    value: fallback,
    warning: `${name} must be true or false (or 1 or 0); using the default, ${String(fallback)}`,
  };
}
