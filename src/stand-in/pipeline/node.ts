// The tree that the compiler works on: YAML with aliases, merge keys and plain scalars resolved, and
// every piece still knowing the file and line it was written on, however far extends carries it.

export interface Position {
  readonly file: string;
  /** First line is 1. */
  readonly line: number;
  /** What stands here is reported as wrong already; what follows from that is not worth telling. */
  readonly broken?: true;
}

export interface Entry {
  readonly key: string;
  readonly at: Position;
  readonly value: Node;
}

export interface MapNode {
  readonly kind: "map";
  readonly at: Position;
  readonly entries: ReadonlyMap<string, Entry>;
}

export interface ListNode {
  readonly kind: "list";
  readonly at: Position;
  readonly items: readonly Node[];
}

export interface ScalarNode {
  readonly kind: "scalar";
  readonly at: Position;
  readonly value: string | number | boolean | null;
  /** The value as a string, as GitLab writes it. */
  readonly text: string;
}

/** `!reference [job, keyword, …]`, not yet replaced by what it names. */
export interface ReferenceNode {
  readonly kind: "reference";
  readonly at: Position;
  readonly path: readonly string[];
}

export type Node = MapNode | ListNode | ScalarNode | ReferenceNode;

export function isNull(node: Node): boolean {
  return node.kind === "scalar" && node.value === null && !node.at.broken;
}

/** Stands in for what could not be read. */
export function brokenAt(at: Position): ScalarNode {
  return { kind: "scalar", at: { ...at, broken: true }, value: null, text: "" };
}

/** What a node is, in the words of a message. */
export function describe(node: Node): string {
  switch (node.kind) {
    case "map":
      return "a map";
    case "list":
      return "a list";
    case "reference":
      return "a !reference";
    case "scalar":
      if (node.value === null) return "nothing";
      if (typeof node.value === "string") return node.value === "" ? "an empty string" : "a string";
      return typeof node.value === "number" ? `the number ${node.text}` : node.text;
  }
}
