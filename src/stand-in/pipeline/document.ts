// From YAML text to the tree. Scalars are left to `plainScalar`, merge keys are done as Ruby's Psych
// does them, and anchors are expanded under a limit, so that a small file cannot become a huge one.

import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  Scalar as YamlScalar,
} from "yaml";
import type { Alias, Document, Node as YamlNode, Pair, YAMLMap } from "yaml";
import type { Mistakes } from "./mistakes.ts";
import { brokenAt } from "./node.ts";
import type { Entry, MapNode, Node, Position } from "./node.ts";
import { plainScalar } from "./scalar.ts";

const LARGEST_TREE = 50_000;
const DEEPEST_TREE = 200;
const STRING_TAG = "tag:yaml.org,2002:str";
const PLAIN_TAGS = new Set([STRING_TAG, "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map", "!"]);

class TooLarge extends Error {}

/** The file's top-level map; undefined (and a mistake) when it has none. */
export function readDocument(text: string, file: string, mistakes: Mistakes): MapNode | undefined {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    schema: "failsafe",
    uniqueKeys: false,
    customTags: [{ tag: "!reference", collection: "seq", identify: () => false }],
  });
  const [document, second] = Array.isArray(documents) ? documents : [];
  if (!document || isEmpty(document)) {
    if (document && reportSyntax(document, file, mistakes)) return undefined;
    mistakes.report({ file, line: 1 }, "yaml", "The file is empty; it needs at least one job.");
    return undefined;
  }
  const broken = reportSyntax(document, file, mistakes);
  if (second) {
    const line = second.range ? lines.linePos(second.range[0]).line : 1;
    const message =
      "The file has more than one YAML document; spec:inputs headers are not supported.";
    mistakes.report({ file, line }, "yaml", message);
    return undefined;
  }
  if (broken) return undefined;
  try {
    const root = new Reader(document, lines, file, mistakes).read(document.contents, 0);
    if (root.kind === "map") return root;
    mistakes.report(
      root.at,
      "yaml",
      "The top level of the file must be a map of keywords and jobs.",
    );
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error;
    mistakes.report({ file, line: 1 }, "yaml", error.message);
  }
  return undefined;
}

function isEmpty(document: Document): boolean {
  const root = document.contents;
  return root === null || (isScalar(root) && root.value === "" && root.type === "PLAIN");
}

function reportSyntax(document: Document.Parsed | Document, file: string, mistakes: Mistakes) {
  for (const error of document.errors) {
    const line = error.linePos?.[0].line ?? 1;
    const sentence = error.message.split(/ at line \d+|\n/)[0] ?? error.message;
    mistakes.report({ file, line }, "yaml", `This is not valid YAML: ${sentence}.`);
  }
  return document.errors.length > 0;
}

class Reader {
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #file: string;
  readonly #mistakes: Mistakes;
  readonly #open = new Set<YamlNode>();
  #count = 0;

  constructor(document: Document, lines: LineCounter, file: string, mistakes: Mistakes) {
    this.#document = document;
    this.#lines = lines;
    this.#file = file;
    this.#mistakes = mistakes;
  }

  read(node: unknown, depth: number, fallback: Position = { file: this.#file, line: 1 }): Node {
    this.#count += 1;
    if (this.#count > LARGEST_TREE)
      throw new TooLarge(`With its anchors expanded the file has over ${LARGEST_TREE} values.`);
    if (depth > DEEPEST_TREE) throw new TooLarge(`The file is nested over ${DEEPEST_TREE} deep.`);
    if (isAlias(node)) return this.#alias(node, depth);
    if (isMap(node)) return this.#checked(node, () => this.#map(node, depth));
    if (isSeq(node)) {
      return this.#checked(node, () => {
        const at = this.#at(node);
        const items = node.items.map((item) => this.read(item, depth + 1, at));
        return node.tag === "!reference" ? this.#reference(items, at) : { kind: "list", at, items };
      });
    }
    if (isScalar(node)) return this.#scalar(node);
    return { kind: "scalar", at: fallback, value: null, text: "" };
  }

  #checked(node: YamlNode, build: () => Node): Node {
    const known = !node.tag || PLAIN_TAGS.has(node.tag) || node.tag === "!reference";
    if (!known) {
      const message = `The tag ${node.tag} is not known; the only tag there is here is !reference.`;
      this.#mistakes.report(this.#at(node), "yaml", message);
    }
    this.#open.add(node);
    const built = build();
    this.#open.delete(node);
    return known ? built : brokenAt(built.at);
  }

  #alias(alias: Alias, depth: number): Node {
    const at = this.#at(alias);
    const target = alias.resolve(this.#document);
    if (!target) {
      const message = `No anchor &${alias.source} stands before *${alias.source}.`;
      this.#mistakes.report(at, "yaml", message);
      return brokenAt(at);
    }
    if (this.#open.has(target)) {
      this.#mistakes.report(at, "yaml", `The anchor &${alias.source} contains itself.`);
      return brokenAt(at);
    }
    return this.read(target, depth + 1);
  }

  #map(map: YAMLMap, depth: number): MapNode {
    const at = this.#at(map);
    const entries = new Map<string, Entry>();
    const own = new Map<string, Position>();
    for (const pair of map.items) {
      const key = this.#key(pair, at);
      if (key === undefined) continue;
      const value = this.read(pair.value, depth + 1, key.at);
      if (key.merge) {
        this.#merge(entries, own, value);
        continue;
      }
      const earlier = own.get(key.text);
      if (earlier) {
        const message = `"${key.text}" is already given on line ${earlier.line}; only one of the two can count.`;
        this.#mistakes.report(key.at, key.text, message);
      }
      own.set(key.text, key.at);
      entries.set(key.text, { key: key.text, at: key.at, value });
    }
    return { kind: "map", at, entries };
  }

  /** Psych merges where `<<` stands: what is merged wins over keys above it, keys below win over it. */
  #merge(entries: Map<string, Entry>, own: ReadonlyMap<string, Position>, value: Node): void {
    const sources = value.kind === "list" ? value.items.toReversed() : [value];
    for (const source of sources) {
      if (source.kind !== "map") {
        const message = "A merge key (<<) takes an alias of a map, or a list of such aliases.";
        this.#mistakes.report(value.at, "<<", message);
        continue;
      }
      for (const entry of source.entries.values()) {
        const above = own.get(entry.key);
        if (above) {
          const message = `"${entry.key}" is overwritten by the merge key below it; put << first to keep it.`;
          this.#mistakes.warn(above, "<<", message);
        }
        entries.set(entry.key, entry);
      }
    }
  }

  #key(pair: Pair, fallback: Position) {
    const node = pair.key;
    const at = isScalar(node) ? this.#at(node) : fallback;
    if (isScalar(node) && node.type === YamlScalar.PLAIN && node.value === "<<")
      return { text: "<<", at, merge: true };
    const key = this.read(node, 0, at);
    if (key.kind !== "scalar" || key.value === null || typeof key.value === "boolean") {
      const what = key.kind === "scalar" ? key.text || "nothing" : "a list or map";
      this.#mistakes.report(at, "yaml", `A key must be a string, not ${what}; put it in quotes.`);
      return undefined;
    }
    return { text: key.text, at, merge: false };
  }

  #scalar(node: YamlScalar): Node {
    const at = this.#at(node);
    const text = typeof node.value === "string" ? node.value : "";
    return this.#checked(node, () => {
      if (node.type !== YamlScalar.PLAIN || node.tag === STRING_TAG || node.tag === "!")
        return { kind: "scalar", at, value: text, text };
      const scalar = plainScalar(text);
      if (scalar.kind === "value")
        return { kind: "scalar", at, value: scalar.value, text: scalar.text };
      const message = `Without quotes GitLab reads ${text} as ${scalar.meaning}; put it in quotes.`;
      this.#mistakes.report(at, "yaml", message);
      return brokenAt(at);
    });
  }

  #reference(items: readonly Node[], at: Position): Node {
    const path = items.flatMap((item) =>
      item.kind === "scalar" && item.value !== null ? [item.text] : [],
    );
    if (path.length === items.length && path.length > 0) return { kind: "reference", at, path };
    const message = "!reference takes a list of names: !reference [job, keyword].";
    this.#mistakes.report(at, "!reference", message);
    return brokenAt(at);
  }

  #at(node: YamlNode): Position {
    const line = node.range ? this.#lines.linePos(node.range[0]).line : 1;
    return { file: this.#file, line };
  }
}
