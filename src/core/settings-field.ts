// The kinds of fields that settings are made of. Each carries the sentence that the docs and the JSON
// Schema show, its default, and answers a wrong value with what was found and what would be right.

import * as z from "zod";
import { parseDurationMs } from "./go-duration.ts";
import { didYouMean } from "./nearest-name.ts";
import { cpuForms, memoryForms, parseCpuUnits, parseMemoryMiB } from "./size.ts";

/** What stands there, in words. The text itself is shown only where it is short and `open` says so. */
export function found(input: unknown, open = false): string {
  if (input === undefined || input === null) return "nothing";
  if (Array.isArray(input)) return "a list";
  if (typeof input === "string") {
    return open && input.length <= 20 ? `the text ${JSON.stringify(input)}` : "a text";
  }
  if (typeof input === "number") return `the number ${input}`;
  return typeof input === "boolean" ? `${input}` : "a map";
}

/** The complaint about a value of the wrong kind. */
export function expected(what: string, open = false) {
  return {
    error: (issue: { readonly input?: unknown }) =>
      `expected ${what}, found ${found(issue.input, open)}`,
  };
}

/** Refuses within a transform: the message goes to the value's own path. */
export function refuse(context: z.RefinementCtx, input: unknown, message: string): never {
  context.addIssue({ code: "custom", message, input });
  return z.NEVER;
}

export function text(description: string, fallback = "") {
  return z.string(expected("a text")).default(fallback).describe(description);
}

export function flag(description: string, fallback: boolean) {
  return z.boolean(expected("true or false", true)).default(fallback).describe(description);
}

export function whole(
  description: string,
  fallback: number,
  limits: { readonly from: number; readonly to?: number } = { from: 0 },
) {
  const { from, to = Number.MAX_SAFE_INTEGER } = limits;
  const range = limits.to === undefined ? `from ${from}` : `from ${from} to ${to}`;
  const complaint = expected(`a whole number ${range}`, true);
  return z
    .number(complaint)
    .int(complaint)
    .min(from, complaint)
    .max(to, complaint)
    .default(fallback)
    .describe(description);
}

export function choice<const T extends readonly [string, ...string[]]>(
  description: string,
  values: T,
  fallback: T[number],
) {
  return oneOf(values).prefault(fallback).describe(description);
}

/** One of a few words, with a suggestion for a misspelt one. */
export function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  const listed = values.map((value) => JSON.stringify(value)).join(", ");
  return z.enum(values, {
    error: ({ input }) =>
      `expected one of ${listed}, found ${found(input, true)}` +
      (typeof input === "string" ? didYouMean(input, values) : ""),
  });
}

/** Seconds; written as a Go duration or as a whole number of seconds. */
export function duration(description: string, fallback: string | number, from = 0) {
  const what = 'a duration such as "90s" or "1h30m", or a whole number of seconds';
  return z
    .union([z.string(), z.number()], expected(what, true))
    .transform((value, context) => {
      const seconds = typeof value === "number" ? value : (parseDurationMs(value) ?? NaN) / 1000;
      if (seconds >= from && (typeof value === "string" || Number.isInteger(value))) return seconds;
      const range = from === 0 ? "" : ` from ${from}`;
      return refuse(context, value, `expected ${what}${range}, found ${found(value, true)}`);
    })
    .prefault(fallback)
    .describe(description);
}

/** CPU in ECS units, 0 where none is asked for. */
export function cpu(description: string) {
  return amount(cpuForms, parseCpuUnits).prefault(0).describe(description);
}

/** The same where "not given" means something else than none. */
export function optionalCpu(description: string) {
  return amount(cpuForms, parseCpuUnits).optional().describe(description);
}

/** Memory in MiB, 0 where none is asked for. */
export function memory(description: string) {
  return amount(memoryForms, parseMemoryMiB).prefault(0).describe(description);
}

/** The same where "not given" means something else than none. */
export function optionalMemory(description: string) {
  return amount(memoryForms, parseMemoryMiB).optional().describe(description);
}

function amount(forms: string, parse: (value: string | number) => number | undefined) {
  return z.union([z.string(), z.number()], expected(forms, true)).transform((value, context) => {
    if (value === 0 || value === "" || value === "0") return 0;
    return parse(value) ?? refuse(context, value, `expected ${forms}, found ${found(value, true)}`);
  });
}

export function texts(description: string, fallback: string[] = []) {
  return z
    .array(z.string(expected("a text")), expected("a list of texts"))
    .default(fallback)
    .describe(description);
}

/** A map from names to texts; numbers and booleans, as YAML reads them, are taken as their text. */
export function textMap(description: string) {
  return z
    .record(
      z.string(),
      z.union([z.string(), z.number(), z.boolean()], expected("a text")),
      expected("a map of texts"),
    )
    .default({})
    .transform((map) =>
      Object.fromEntries(Object.entries(map).map(([key, value]) => [key, `${value}`])),
    )
    .describe(description);
}

/** A map with known keys; any other is answered with the nearest known one. */
export function section<T extends z.ZodRawShape>(what: string, shape: T) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== "unrecognized_keys")
        return `expected ${what}, found ${found(issue.input)}`;
      const keys: readonly string[] = issue.keys;
      const answers = keys.map(
        (key) => `unknown key ${JSON.stringify(key)}${didYouMean(key, known)}`,
      );
      return answers.join("; ");
    },
  });
}
