// One parameter at a time, coerced and refused as GitLab's declarations do: forms send text, JSON
// sends types, and both mean the same.

import type { Params } from "./exchange.ts";

export type Param<T> =
  | { readonly kind: "absent" }
  | { readonly kind: "value"; readonly value: T }
  | { readonly kind: "invalid" };

/** Null and the empty text count as not given. */
export function textParam(params: Params, name: string): Param<string> {
  const value = params[name];
  if (value === undefined || value === null || value === "") return { kind: "absent" };
  if (typeof value === "string") return { kind: "value", value };
  if (typeof value === "number" || typeof value === "boolean") {
    return { kind: "value", value: String(value) };
  }
  return { kind: "invalid" };
}

export function wholeParam(params: Params, name: string): Param<number> {
  const text = textParam(params, name);
  if (text.kind !== "value") return text;
  return /^-?\d+$/.test(text.value)
    ? { kind: "value", value: Number(text.value) }
    : { kind: "invalid" };
}

export function flagParam(params: Params, name: string): Param<boolean> {
  const text = textParam(params, name);
  if (text.kind !== "value") return text;
  if (text.value === "true" || text.value === "1") return { kind: "value", value: true };
  if (text.value === "false" || text.value === "0") return { kind: "value", value: false };
  return { kind: "invalid" };
}

export function valueOf<T>(param: Param<T>): T | undefined {
  return param.kind === "value" ? param.value : undefined;
}

/** `output[bytesize]` and the like: an object's own parameters; none when it is no object. */
export function nested(params: Params, name: string): Params {
  const value = params[name];
  return typeof value === "object" && value !== null ? { ...value } : {};
}
