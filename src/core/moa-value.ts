// Values of Moa expressions. Each knows whether it is sensitive, or made of something that is.

export interface MoaValue {
  readonly data: MoaData;
  readonly sensitive: boolean;
}

export type MoaData =
  | null
  | boolean
  | number
  | string
  | readonly MoaValue[]
  | ReadonlyMap<string, MoaValue>;

export type MoaKind = "null" | "boolean" | "number" | "string" | "array" | "object";

/** From parsed JSON; everything in it is as sensitive as the whole. */
export function moaValue(json: unknown, sensitive: boolean): MoaValue {
  return { data: dataOf(json, sensitive), sensitive };
}

function dataOf(json: unknown, sensitive: boolean): MoaData {
  if (typeof json === "boolean" || typeof json === "number" || typeof json === "string")
    return json;
  if (Array.isArray(json)) return json.map((item) => moaValue(item, sensitive));
  if (typeof json === "object" && json !== null) {
    return new Map(Object.entries(json).map(([key, item]) => [key, moaValue(item, sensitive)]));
  }
  return null;
}

export function kindOf(data: MoaData): MoaKind {
  if (data === null) return "null";
  if (isArray(data)) return "array";
  if (typeof data === "object") return "object";
  if (typeof data === "boolean") return "boolean";
  return typeof data === "number" ? "number" : "string";
}

export function isArray(data: MoaData): data is readonly MoaValue[] {
  return Array.isArray(data);
}

/** Sensitive itself, or anywhere within. */
export function isSensitive(value: MoaValue): boolean {
  if (value.sensitive) return true;
  const { data } = value;
  if (isArray(data)) return data.some(isSensitive);
  return data instanceof Map && [...data.values()].some(isSensitive);
}

export function isTruthy(data: MoaData): boolean {
  if (isArray(data)) return data.length > 0;
  if (data instanceof Map) return data.size > 0;
  return Boolean(data);
}

/** What `str` gives, and what a text gets. */
export function moaText(data: MoaData): string {
  if (data === null) return "<null>";
  return typeof data === "object" ? JSON.stringify(toJson(data)) : String(data);
}

function toJson(data: MoaData): unknown {
  if (isArray(data)) return data.map((item) => toJson(item.data));
  if (data instanceof Map) {
    return Object.fromEntries([...data].map(([key, item]) => [key, toJson(item.data)]));
  }
  return data;
}

const kindOrder: readonly MoaKind[] = ["null", "boolean", "number", "string", "array", "object"];

/** Negative, zero or positive. Values of two kinds are ordered by kind. */
export function compareMoa(left: MoaData, right: MoaData): number {
  const byKind = kindOrder.indexOf(kindOf(left)) - kindOrder.indexOf(kindOf(right));
  if (byKind !== 0) return byKind;
  if (isArray(left) && isArray(right)) return compareLists(left, right);
  if (left instanceof Map && right instanceof Map) return compareObjects(left, right);
  if (typeof left === "string" && typeof right === "string") return compareTexts(left, right);
  return Number(left) - Number(right);
}

function compareLists(left: readonly MoaValue[], right: readonly MoaValue[]): number {
  for (const [index, item] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    const order = compareMoa(item.data, other.data);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function compareObjects(
  left: ReadonlyMap<string, MoaValue>,
  right: ReadonlyMap<string, MoaValue>,
): number {
  if (left.size !== right.size) return left.size - right.size;
  const ourKeys = [...left.keys()].toSorted(compareTexts);
  const theirKeys = [...right.keys()].toSorted(compareTexts);
  const byKeys = compareLists(texts(ourKeys), texts(theirKeys));
  if (byKeys !== 0) return byKeys;
  return compareLists(
    ourKeys.flatMap((key) => left.get(key) ?? []),
    theirKeys.flatMap((key) => right.get(key) ?? []),
  );
}

function texts(list: readonly string[]): readonly MoaValue[] {
  return list.map((data) => ({ data, sensitive: false }));
}

/** In the order of code points, which is that of UTF-8's bytes. */
function compareTexts(left: string, right: string): number {
  const ours = Array.from(left, (character) => character.codePointAt(0) ?? 0);
  const theirs = Array.from(right, (character) => character.codePointAt(0) ?? 0);
  for (const [index, code] of ours.entries()) {
    const other = theirs[index];
    if (other === undefined) return 1;
    if (code !== other) return code - other;
  }
  return ours.length - theirs.length;
}
