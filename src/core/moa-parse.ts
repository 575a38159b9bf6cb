// Moa, GitLab's expression language of `${{ … }}`: text to syntax tree. Grammar and precedence as
// documented in https://docs.gitlab.com/ci/functions/moa/.

import { RunnerError } from "./errors.ts";

export type MoaExpression =
  | { readonly kind: "literal"; readonly value: null | boolean | number | string }
  | { readonly kind: "template"; readonly parts: readonly MoaPart[] }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "array"; readonly items: readonly MoaExpression[] }
  | { readonly kind: "object"; readonly entries: readonly MoaEntry[] }
  | { readonly kind: "select"; readonly from: MoaExpression; readonly key: MoaExpression }
  | { readonly kind: "call"; readonly name: string; readonly arguments: readonly MoaExpression[] }
  | { readonly kind: "unary"; readonly operator: string; readonly operand: MoaExpression }
  | {
      readonly kind: "binary";
      readonly operator: string;
      readonly left: MoaExpression;
      readonly right: MoaExpression;
    };

/** Plain text, or an expression to be put in its place. */
export type MoaPart = string | MoaExpression;

interface MoaEntry {
  readonly key: MoaExpression;
  readonly value: MoaExpression;
}

const reserved = new Set(
  (
    "array as break case const continue default else fallthrough float for func function goto if " +
    "import in int let loop map namespace number object package range return string struct switch " +
    "type var void while"
  ).split(" "),
);
const constants = new Map<string, null | boolean>([
  ["null", null],
  ["true", true],
  ["false", false],
]);
/** From loosest to tightest. Longer operators first where one begins like another. */
const binaryLevels = [
  ["||"],
  ["&&"],
  ["==", "!=", "<=", ">=", "<", ">"],
  ["+", "-"],
  ["*", "/", "%"],
];
const escapes: Readonly<Record<string, string>> = {
  "\\": "\\",
  '"': '"',
  "/": "/",
  n: "\n",
  r: "\r",
  t: "\t",
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v",
};
const deepest = 100;

/** Splits a text into what is literal and what is to be evaluated. `\${{` is a literal `${{`. */
export function parseMoaTemplate(text: string): readonly MoaPart[] {
  return new Parser(text).template();
}

class Parser {
  readonly #text: string;
  #position = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  template(): readonly MoaPart[] {
    const parts: MoaPart[] = [];
    let plain = "";
    while (this.#position < this.#text.length) {
      if (this.#take("\\${{")) plain += "${{";
      else if (this.#take("${{")) {
        parts.push(plain, this.#embedded());
        plain = "";
      } else plain += this.#next();
    }
    return [...parts, plain].filter((part) => part !== "");
  }

  /** After `${{`, up to and with `}}`. */
  #embedded(): MoaExpression {
    const expression = this.#binary(0);
    this.#expect("}}");
    return expression;
  }

  #binary(level: number): MoaExpression {
    const operators = binaryLevels[level];
    if (operators === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    for (;;) {
      this.#blanks();
      const operator = operators.find((candidate) => this.#take(candidate));
      if (operator === undefined) return left;
      left = { kind: "binary", operator, left, right: this.#binary(level + 1) };
    }
  }

  #unary(): MoaExpression {
    this.#depth += 1;
    if (this.#depth > deepest) throw this.#complaint("is nested too deeply");
    this.#blanks();
    const operator = ["!", "-", "+"].find((candidate) => this.#take(candidate));
    const expression: MoaExpression =
      operator === undefined
        ? this.#postfix()
        : { kind: "unary", operator, operand: this.#unary() };
    this.#depth -= 1;
    return expression;
  }

  #postfix(): MoaExpression {
    let from = this.#primary();
    for (;;) {
      this.#blanks();
      if (this.#take(".")) {
        from = { kind: "select", from, key: { kind: "literal", value: this.#name() } };
      } else if (this.#take("[")) {
        const key = this.#binary(0);
        this.#expect("]");
        from = { kind: "select", from, key };
      } else if (from.kind === "name" && this.#take("(")) {
        from = { kind: "call", name: from.name, arguments: this.#list(")") };
      } else return from;
    }
  }

  #primary(): MoaExpression {
    this.#blanks();
    if (this.#take("(")) {
      const inner = this.#binary(0);
      this.#expect(")");
      return inner;
    }
    if (this.#take("[")) return { kind: "array", items: this.#list("]") };
    if (this.#take("{")) return { kind: "object", entries: this.#entries() };
    if (this.#take('"')) return this.#doubleQuoted();
    if (this.#take("'")) return { kind: "literal", value: this.#singleQuoted() };
    const number = this.#match(/\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y);
    if (number !== undefined) return { kind: "literal", value: Number(number) };
    const name = this.#name();
    const constant = constants.get(name);
    if (constant !== undefined) return { kind: "literal", value: constant };
    if (reserved.has(name)) throw this.#complaint(`uses the reserved word ${name}`);
    return { kind: "name", name };
  }

  #list(close: string): readonly MoaExpression[] {
    const items: MoaExpression[] = [];
    for (;;) {
      this.#blanks();
      if (this.#take(close)) return items;
      items.push(this.#binary(0));
      this.#blanks();
      if (!this.#take(",")) {
        this.#expect(close);
        return items;
      }
    }
  }

  #entries(): readonly MoaEntry[] {
    const entries: MoaEntry[] = [];
    for (;;) {
      this.#blanks();
      if (this.#take("}")) return entries;
      // A bare name is the key itself; in brackets it would be looked up.
      const name = this.#match(/[A-Za-z_]\w*(?=\s*:)/y);
      const key: MoaExpression =
        name === undefined ? this.#binary(0) : { kind: "literal", value: name };
      this.#expect(":");
      entries.push({ key, value: this.#binary(0) });
      this.#blanks();
      if (!this.#take(",")) {
        this.#expect("}");
        return entries;
      }
    }
  }

  #doubleQuoted(): MoaExpression {
    const parts: MoaPart[] = [];
    let plain = "";
    while (!this.#take('"')) {
      if (this.#take("\\${{")) plain += "${{";
      else if (this.#take("\\")) plain += this.#escape();
      else if (this.#take("${{")) {
        parts.push(plain, this.#embedded());
        plain = "";
      } else plain += this.#next();
    }
    if (parts.length === 0) return { kind: "literal", value: plain };
    return { kind: "template", parts: [...parts, plain] };
  }

  #escape(): string {
    const code = this.#match(/u[0-9A-Fa-f]{4}/y);
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    const letter = this.#next();
    const meant = Object.hasOwn(escapes, letter) ? escapes[letter] : undefined;
    if (meant === undefined) throw this.#complaint(`has the unknown escape \\${letter}`);
    return meant;
  }

  #singleQuoted(): string {
    let text = "";
    while (!this.#take("'")) {
      if (this.#take("\\\\")) text += "\\";
      else if (this.#take("\\'")) text += "'";
      else text += this.#next();
    }
    return text;
  }

  #name(): string {
    this.#blanks();
    const name = this.#match(/[A-Za-z_]\w*/y);
    if (name === undefined) throw this.#complaint(`breaks off ${this.#here()}: expected a value`);
    return name;
  }

  #blanks(): void {
    this.#match(/\s+/y);
  }

  #take(token: string): boolean {
    if (!this.#text.startsWith(token, this.#position)) return false;
    this.#position += token.length;
    return true;
  }

  #expect(token: string): void {
    this.#blanks();
    if (!this.#take(token)) throw this.#complaint(`needs ${token} ${this.#here()}`);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.#text)?.[0];
    this.#position += found?.length ?? 0;
    return found;
  }

  #next(): string {
    const character = this.#text.charAt(this.#position);
    if (character === "") throw this.#complaint("ends within quotes");
    this.#position += 1;
    return character;
  }

  #here(): string {
    const rest = this.#text.slice(this.#position, this.#position + 20);
    return rest === "" ? "at its end" : `before ${JSON.stringify(rest)}`;
  }

  #complaint(what: string): RunnerError {
    return new RunnerError("runner_configuration_error", `the expression ${what}`);
  }
}
