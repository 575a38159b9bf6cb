// Patterns for images and projects, as `allowed_images` has them: doublestar's rules. `*` and `?` stay within
// one part of a path, `**` as a whole part stands for any number of parts, `[a-z]` and `[^a-z]` for one
// character, `{a,b}` for alternatives, `\` takes the next character as it is.

type Read =
  | { readonly kind: "pattern"; readonly expression: RegExp }
  | { readonly kind: "invalid"; readonly message: string };

/** Whether the pattern covers the whole of `name`. A malformed pattern covers nothing. */
export function matchesPattern(pattern: string, name: string): boolean {
  const read = readPattern(pattern);
  return read.kind === "pattern" && read.expression.test(name);
}

/** What is wrong with a pattern, or undefined. */
export function patternError(pattern: string): string | undefined {
  const read = readPattern(pattern);
  return read.kind === "invalid" ? read.message : undefined;
}

function readPattern(pattern: string): Read {
  let source = "";
  let depth = 0;
  let index = 0;
  while (index < pattern.length) {
    const character = pattern.charAt(index);
    if (character === "\\") {
      if (index + 1 === pattern.length)
        return invalid("it ends in a backslash that escapes nothing");
      source += literal(pattern.charAt(index + 1));
      index += 2;
    } else if (character === "[") {
      const set = readSet(pattern, index);
      if (set === undefined) return invalid("a [ begins no set such as [a-z]");
      source += set.source;
      index = set.end;
    } else if (character === "{" || character === "}" || (character === "," && depth > 0)) {
      depth += character === "{" ? 1 : character === "}" ? -1 : 0;
      if (depth < 0) return invalid("a } has no matching {");
      source += character === "{" ? "(?:" : character === "}" ? ")" : "|";
      index += 1;
    } else if (character === "*") {
      const stars = readStars(pattern, index);
      source = stars.swallowsSlash ? source.slice(0, -1) + stars.source : source + stars.source;
      index = stars.end;
    } else {
      source += character === "?" ? "[^/]" : literal(character);
      index += 1;
    }
  }
  if (depth > 0) return invalid("a { has no matching }");
  return { kind: "pattern", expression: new RegExp(`^(?:${source})$`, "su") };
}

function invalid(message: string): Read {
  return { kind: "invalid", message };
}

function literal(character: string): string {
  return character.replace(/[$()*+.?[\\\]^{|}]/, String.raw`\$&`);
}

function readSet(pattern: string, start: number) {
  const negated = /[!^]/.test(pattern.charAt(start + 1));
  const from = start + (negated ? 2 : 1);
  const members = /^(?:\\.|[^\]\\])+/s.exec(pattern.slice(from))?.[0];
  if (members === undefined || pattern.charAt(from + members.length) !== "]") return undefined;
  const escaped = members
    .replaceAll(/\\(.)/gs, "$1")
    .replaceAll(/[\\\]^[]/g, String.raw`\$&`)
    .replace(/^-|-$/g, String.raw`\-`);
  if (!isSet(escaped)) return undefined;
  return { source: negated ? `[^/${escaped}]` : `[${escaped}]`, end: from + members.length + 1 };
}

/** A range that runs backwards is no set. */
function isSet(members: string): boolean {
  try {
    return new RegExp(`[${members}]`, "u").source !== "";
  } catch {
    return false;
  }
}

/** `**` counts only as a whole part of the path; with the slash beside it, it may stand for nothing. */
function readStars(pattern: string, start: number) {
  let end = start;
  while (pattern.charAt(end) === "*") end += 1;
  const before = start === 0 ? "" : pattern.charAt(start - 1);
  const after = pattern.charAt(end);
  const opens = before === "" || before === "/" || before === "{" || before === ",";
  const closes = after === "" || after === "/" || after === "}" || after === ",";
  if (end - start < 2 || !opens || !closes) return { source: "[^/]*", end, swallowsSlash: false };
  if (after === "/") return { source: "(?:.*/)?", end: end + 1, swallowsSlash: false };
  if (before === "/") return { source: "(?:/.*)?", end, swallowsSlash: true };
  return { source: ".*", end, swallowsSlash: false };
}
