// The language of `rules:if`: variables, strings, null, /patterns/, ==, !=, =~, !~, !, &&, || and
// parentheses. Truth is Ruby's: `&&` and `||` go by "not null", the whole by "not empty".

import { parsePattern } from "./pattern.ts";
import type { Pattern } from "./pattern.ts";

export type Lookup = (variable: string) => string | undefined;

type Value = string | boolean | null | Pattern;

type Expression =
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "literal"; readonly value: string | null | Pattern }
  | { readonly kind: "not"; readonly of: Expression }
  | {
      readonly kind: "binary";
      readonly operator: Operator;
      readonly left: Expression;
      readonly right: Expression;
    };

type Operator = "==" | "!=" | "=~" | "!~" | "&&" | "||";

export type ParsedCondition =
  | { readonly kind: "condition"; readonly holds: (lookup: Lookup) => boolean }
  | { readonly kind: "invalid"; readonly message: string };

const MOST_TOKENS = 100;
const TOKEN =
  /\s*(?:(?<variable>\$\w+)|(?<string>"[^"]*"|'[^']*')|(?<pattern>\/(?:[^/\\]|\\.)+\/[ismU]*)|(?<null>null\b)|(?<operator>==|!=|=~|!~|&&|\|\||!|\(|\)))\s*/y;

class SyntaxMistake extends Error {}

export function parseCondition(text: string): ParsedCondition {
  try {
    const tokens = tokenize(text);
    if (tokens.length === 0) return { kind: "invalid", message: "is empty" };
    const expression = new Parser(tokens).parse();
    return { kind: "condition", holds: (lookup) => present(evaluate(expression, lookup)) };
  } catch (error) {
    if (error instanceof SyntaxMistake) return { kind: "invalid", message: error.message };
    throw error;
  }
}

interface Token {
  readonly text: string;
  readonly kind: "variable" | "string" | "pattern" | "null" | "operator";
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const from = TOKEN.lastIndex;
    const groups = TOKEN.exec(text)?.groups;
    if (!groups) throw new SyntaxMistake(unreadable(text.slice(from)));
    for (const kind of ["variable", "string", "pattern", "null", "operator"] as const) {
      const found = groups[kind];
      if (found !== undefined) tokens.push({ kind, text: found });
    }
    if (tokens.length > MOST_TOKENS)
      throw new SyntaxMistake(`has more than ${MOST_TOKENS} words; split it into several rules`);
  }
  return tokens;
}

function unreadable(rest: string): string {
  const message = `cannot be read from '${rest.trim()}' on`;
  if (/^\s*\$\{/.test(rest)) return `${message}: write $NAME, without braces`;
  if (/^\s*=/.test(rest)) return `${message}: comparisons are ==, !=, =~ and !~`;
  if (/^\s*[&|]/.test(rest)) return `${message}: conditions are joined by && and ||`;
  return `${message}: strings stand in quotes, patterns between slashes`;
}

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): Expression {
    const expression = this.#or();
    const rest = this.#tokens[this.#next];
    if (rest)
      throw new SyntaxMistake(`has "${rest.text}" where it should end or go on with && or ||`);
    return expression;
  }

  #or(): Expression {
    let left = this.#and();
    while (this.#take("||")) left = { kind: "binary", operator: "||", left, right: this.#and() };
    return left;
  }

  #and(): Expression {
    let left = this.#comparison();
    while (this.#take("&&"))
      left = { kind: "binary", operator: "&&", left, right: this.#comparison() };
    return left;
  }

  #comparison(): Expression {
    let left = this.#operand();
    for (;;) {
      const operator = this.#take("==", "!=", "=~", "!~");
      if (!operator) return left;
      const right = this.#operand();
      if (operator === "=~" || operator === "!~") checkPattern(operator, right);
      left = { kind: "binary", operator, left, right };
    }
  }

  #operand(): Expression {
    if (this.#take("!")) return { kind: "not", of: this.#operand() };
    if (this.#take("(")) {
      const inner = this.#or();
      if (!this.#take(")")) throw new SyntaxMistake('has a "(" without its ")"');
      return inner;
    }
    const token = this.#tokens[this.#next];
    if (!token) throw new SyntaxMistake("ends where a variable, a string or null should follow");
    this.#next += 1;
    return operand(token);
  }

  #take<T extends string>(...operators: readonly T[]): T | undefined {
    const token = this.#tokens[this.#next];
    const found = operators.find((each) => token?.kind === "operator" && each === token.text);
    if (found) this.#next += 1;
    return found;
  }
}

function operand(token: Token): Expression {
  switch (token.kind) {
    case "variable":
      return { kind: "variable", name: token.text.slice(1) };
    case "string":
      return { kind: "literal", value: token.text.slice(1, -1) };
    case "null":
      return { kind: "literal", value: null };
    case "pattern": {
      const pattern = parsePattern(token.text);
      if (pattern.kind === "pattern") return { kind: "literal", value: pattern };
      throw new SyntaxMistake(`has the pattern ${token.text}, which ${pattern.message}`);
    }
    case "operator":
      throw new SyntaxMistake(`has "${token.text}" where a variable, a string or null should be`);
  }
}

/** A pattern stands on the right, between slashes or in a variable. */
function checkPattern(operator: string, right: Expression): void {
  if (right.kind === "variable") return;
  if (right.kind === "literal" && right.value !== null) {
    if (typeof right.value !== "string") return;
    if (parsePattern(right.value).kind === "pattern") return;
  }
  throw new SyntaxMistake(`has no /pattern/ and no variable on the right of ${operator}`);
}

function evaluate(expression: Expression, lookup: Lookup): Value {
  switch (expression.kind) {
    case "variable":
      return lookup(expression.name) ?? null;
    case "literal":
      return expression.value;
    case "not":
      return !present(evaluate(expression.of, lookup));
    case "binary": {
      const left = evaluate(expression.left, lookup);
      if (expression.operator === "&&")
        return truthy(left) ? evaluate(expression.right, lookup) : left;
      if (expression.operator === "||")
        return truthy(left) ? left : evaluate(expression.right, lookup);
      const right = evaluate(expression.right, lookup);
      if (expression.operator === "==") return left === right;
      if (expression.operator === "!=") return left !== right;
      return matches(left, right) === (expression.operator === "=~");
    }
  }
}

function truthy(value: Value): boolean {
  return value !== null && value !== false;
}

function present(value: Value): boolean {
  return truthy(value) && value !== "";
}

/** Nothing on the right matches nothing. A text that is no pattern is searched for the left side. */
function matches(left: Value, right: Value): boolean {
  if (right === null || typeof right === "boolean") return false;
  const text = typeof left === "string" ? left : "";
  if (typeof right !== "string") return right.test(text);
  const pattern = parsePattern(right);
  return pattern.kind === "pattern" ? pattern.test(text) : right.includes(text);
}
