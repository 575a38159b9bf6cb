// Moa, GitLab's expression language: syntax tree to value. Nothing is converted unasked, except that
// what stands in a text becomes text.

import { RunnerError } from "./errors.ts";
import { parseMoaTemplate } from "./moa-parse.ts";
import type { MoaExpression, MoaPart } from "./moa-parse.ts";
import { compareMoa, isArray, isSensitive, isTruthy, kindOf, moaText } from "./moa-value.ts";
import type { MoaData, MoaValue } from "./moa-value.ts";

type Names = ReadonlyMap<string, MoaValue>;

/** The text with its `${{ … }}` put in, and whether anything sensitive went into it. */
export function fillMoaTemplate(
  text: string,
  names: Names,
): { readonly text: string; readonly sensitive: boolean } {
  return fill(parseMoaTemplate(text), names);
}

function fill(parts: readonly MoaPart[], names: Names) {
  const values = parts.map((part) =>
    typeof part === "string" ? { data: part, sensitive: false } : evaluate(part, names),
  );
  return {
    text: values.map((value) => moaText(value.data)).join(""),
    sensitive: values.some(isSensitive),
  };
}

function evaluate(expression: MoaExpression, names: Names): MoaValue {
  switch (expression.kind) {
    case "literal":
      return { data: expression.value, sensitive: false };
    case "template": {
      const { text, sensitive } = fill(expression.parts, names);
      return { data: text, sensitive };
    }
    case "name":
      return lookUp(names, expression.name, "name");
    case "array":
      return { data: expression.items.map((item) => evaluate(item, names)), sensitive: false };
    case "object":
      return object(expression.entries, names);
    case "select":
      return select(evaluate(expression.from, names), evaluate(expression.key, names));
    case "call":
      return call(
        expression.name,
        expression.arguments.map((argument) => evaluate(argument, names)),
      );
    case "unary":
      return unary(expression.operator, evaluate(expression.operand, names));
    case "binary":
      return binary(expression, names);
  }
}

function object(
  entries: Extract<MoaExpression, { kind: "object" }>["entries"],
  names: Names,
): MoaValue {
  const data = new Map<string, MoaValue>();
  let sensitive = false;
  for (const entry of entries) {
    const key = evaluate(entry.key, names);
    if (typeof key.data !== "string") throw complaint("an object's key must be a string");
    data.set(key.data, evaluate(entry.value, names));
    sensitive ||= key.sensitive;
  }
  return { data, sensitive };
}

function select(from: MoaValue, key: MoaValue): MoaValue {
  const found = selected(from.data, key.data);
  return { data: found.data, sensitive: found.sensitive || from.sensitive || isSensitive(key) };
}

function selected(from: MoaData, key: MoaData): MoaValue {
  if (from instanceof Map && typeof key === "string") return lookUp(from, key, "property");
  if (isArray(from) && typeof key === "number") {
    const item = from[key];
    if (item === undefined) {
      throw complaint(`an array of ${String(from.length)} has no element ${String(key)}`);
    }
    return item;
  }
  throw complaint(`a ${kindOf(from)} cannot be asked for a ${kindOf(key)}`);
}

function lookUp(place: ReadonlyMap<string, MoaValue>, key: string, what: string): MoaValue {
  const value = place.get(key);
  if (value !== undefined) return value;
  const known = [...place.keys()].join(", ");
  throw complaint(`there is no ${what} ${key}; there is ${known === "" ? "none" : known}`);
}

function call(name: string, values: readonly MoaValue[]): MoaValue {
  const [value] = values;
  if (value === undefined || values.length !== 1) {
    throw complaint(`the function ${name} needs one argument`);
  }
  const sensitive = isSensitive(value);
  switch (name) {
    case "str":
      return { data: moaText(value.data), sensitive };
    case "bool":
      return { data: isTruthy(value.data), sensitive };
    case "num":
      return { data: numberOf(value.data), sensitive };
    default:
      throw complaint(`there is no function ${name}; there are str, num and bool`);
  }
}

function numberOf(data: MoaData): number {
  if (typeof data === "number") return data;
  if (typeof data === "string" && /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(data)) {
    return Number(data);
  }
  throw complaint("num needs a string that is a number");
}

function unary(operator: string, operand: MoaValue): MoaValue {
  const sensitive = isSensitive(operand);
  if (operator === "!") return { data: !isTruthy(operand.data), sensitive };
  if (typeof operand.data !== "number") {
    throw complaint(`${operator} needs a number, not a ${kindOf(operand.data)}`);
  }
  return { data: operator === "-" ? -operand.data : operand.data, sensitive };
}

function binary(expression: Extract<MoaExpression, { kind: "binary" }>, names: Names): MoaValue {
  const { operator } = expression;
  const left = evaluate(expression.left, names);
  const decided =
    (operator === "||" && isTruthy(left.data)) || (operator === "&&" && !isTruthy(left.data));
  if (decided) return left;
  const right = evaluate(expression.right, names);
  // Which of two values came out tells about the one that decided it.
  const sensitive = isSensitive(left) || isSensitive(right);
  if (operator === "||" || operator === "&&") return { data: right.data, sensitive };
  const order = comparisons[operator];
  if (order !== undefined) return { data: order(compareMoa(left.data, right.data)), sensitive };
  return { data: arithmetic(operator, left.data, right.data), sensitive };
}

const comparisons: Readonly<Record<string, (order: number) => boolean>> = {
  "==": (order) => order === 0,
  "!=": (order) => order !== 0,
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

function arithmetic(operator: string, left: MoaData, right: MoaData): number | string {
  if (operator === "+" && typeof left === "string" && typeof right === "string") {
    return left + right;
  }
  if (typeof left !== "number" || typeof right !== "number") {
    const kinds = `a ${kindOf(left)} and a ${kindOf(right)}`;
    throw complaint(`${operator} does not work on ${kinds}; str(…) and num(…) convert`);
  }
  if ((operator === "/" || operator === "%") && right === 0) throw complaint("division by zero");
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    default:
      return left % right;
  }
}

function complaint(message: string): RunnerError {
  return new RunnerError("runner_configuration_error", message);
}
