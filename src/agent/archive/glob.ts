// GitLab's patterns for artifacts and cache: the dialect of Go's doublestar, which differs from the shell's and from
// picomatch's (no extglobs, no ranges in braces, a leading dot is like any other character, parentheses are plain).
// A compiled pattern is walked one path component at a time, so a directory walk can stop where nothing may match.

/** Where in the pattern a path has got to. Empty: nothing at or below this path can match. */
export type GlobState = readonly number[];

export interface Glob {
  readonly start: GlobState;
  step(state: GlobState, name: string): GlobState;
  accepts(state: GlobState): boolean;
}

export type CompiledGlob =
  | { readonly kind: "glob"; readonly glob: Glob }
  | { readonly kind: "invalid"; readonly message: string };

type Part =
  | { readonly kind: "name"; readonly regex: RegExp }
  | { readonly kind: "globstar" }
  | { readonly kind: "end" };

const maxAlternatives = 4096;

export function isPattern(text: string): boolean {
  return /[*?[{]/.test(text);
}

/** `a/b/*.o` -> `a/b` and `*.o`: the directory to start in, and what to look for there. */
export function splitPattern(pattern: string): { readonly base: string; readonly rest: string } {
  const names = pattern.split("/");
  const first = names.findIndex(isPattern);
  const cut = first === -1 ? names.length : first;
  return { base: names.slice(0, cut).join("/"), rest: names.slice(cut).join("/") };
}

export function compileGlob(pattern: string): CompiledGlob {
  try {
    const parts: Part[] = [];
    const starts: number[] = [];
    for (const alternative of expandBraces(pattern)) {
      starts.push(parts.length);
      parts.push(...partsOf(alternative), { kind: "end" });
    }
    return { kind: "glob", glob: walker(parts, starts) };
  } catch (error) {
    if (error instanceof SyntaxError) return { kind: "invalid", message: error.message };
    throw error;
  }
}

/** Whether the whole of `path` (relative, with slashes) matches. */
export function globMatches(glob: Glob, path: string): boolean {
  let state = glob.start;
  for (const name of path === "" ? [] : path.split("/")) state = glob.step(state, name);
  return glob.accepts(state);
}

function walker(parts: readonly Part[], starts: readonly number[]): Glob {
  /** `**` may stand for nothing, so whoever is at it is also behind it. */
  const reach = (position: number, into: Set<number>): void => {
    into.add(position);
    if (parts[position]?.kind === "globstar") reach(position + 1, into);
  };
  const start = new Set<number>();
  for (const position of starts) reach(position, start);
  return {
    start: [...start],
    step(state, name) {
      const next = new Set<number>();
      for (const position of state) {
        const part = parts[position];
        if (part?.kind === "globstar") reach(position, next);
        else if (part?.kind === "name" && part.regex.test(name)) reach(position + 1, next);
      }
      return [...next];
    },
    accepts: (state) => state.some((position) => parts[position]?.kind === "end"),
  };
}

function partsOf(pattern: string): Part[] {
  return pattern
    .split("/")
    .filter((name) => name !== "" && name !== ".")
    .map((name) =>
      name === "**" ? { kind: "globstar" } : { kind: "name", regex: componentRegex(name) },
    );
}

function componentRegex(name: string): RegExp {
  const characters = Array.from(name);
  let source = "";
  for (let i = 0; i < characters.length; i++) {
    const character = characters[i] ?? "";
    if (character === "*") source += ".*";
    else if (character === "?") source += ".";
    else if (character === "[") {
      const set = characterClass(characters, i);
      source += set.source;
      i = set.end;
    } else if (character === "\\") {
      i++;
      const escaped = characters[i];
      if (escaped === undefined) throw new SyntaxError("nothing follows the last backslash");
      source += literal(escaped);
    } else source += literal(character);
  }
  return new RegExp(`^${source.replace(/(?:\.\*)+/g, ".*")}$`, "su");
}

/** `[a-z]`, `[^a-z]`, `[!a-z]`; `start` is at the opening bracket. */
function characterClass(
  characters: readonly string[],
  start: number,
): { readonly source: string; readonly end: number } {
  const unclosed = new SyntaxError("a [ is not closed, or has nothing in it");
  let i = start + 1;
  const negated = characters[i] === "^" || characters[i] === "!";
  if (negated) i++;
  let body = "";
  const one = (): string => {
    if (characters[i] === "\\") i++;
    const character = characters[i++];
    if (character === undefined) throw unclosed;
    return character;
  };
  while (characters[i] !== "]") {
    const low = one();
    let high = low;
    if (characters[i] === "-" && characters[i + 1] !== "]" && characters[i + 1] !== undefined) {
      i++;
      high = one();
    }
    if ((low.codePointAt(0) ?? 0) > (high.codePointAt(0) ?? 0)) {
      throw new SyntaxError(`the range ${low}-${high} is upside down`);
    }
    body += low === high ? literal(low) : `${literal(low)}-${literal(high)}`;
  }
  if (body === "") throw unclosed;
  return { source: `[${negated ? "^" : ""}${body}]`, end: i };
}

function literal(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return /[\w\s]/.test(character) || code > 127 ? character : `\\u{${code.toString(16)}}`;
}

/** `{a,b/{c,d}}` -> `a`, `b/c`, `b/d`. */
function expandBraces(pattern: string): string[] {
  const open = findOutside(pattern, 0, (character) => character === "{");
  if (open === -1) return [pattern];
  const alternatives: string[] = [];
  let depth = 0;
  let from = open + 1;
  const close = findOutside(pattern, open, (character, i) => {
    if (character === "{") depth++;
    if (character === "}") depth--;
    if ((character === "," && depth === 1) || (character === "}" && depth === 0)) {
      alternatives.push(pattern.slice(from, i));
      from = i + 1;
    }
    return depth === 0;
  });
  if (close === -1) throw new SyntaxError("a { is not closed");
  const head = pattern.slice(0, open);
  const tails = expandBraces(pattern.slice(close + 1));
  const middles = alternatives.flatMap((alternative) => expandBraces(alternative));
  if (middles.length * tails.length > maxAlternatives) {
    throw new SyntaxError(`the braces stand for more than ${maxAlternatives} patterns`);
  }
  return middles.flatMap((middle) => tails.map((tail) => head + middle + tail));
}

/** Index of the first character that `wanted` takes, skipping escapes and bracket classes. */
function findOutside(
  text: string,
  start: number,
  wanted: (character: string, i: number) => boolean,
): number {
  for (let i = start; i < text.length; i++) {
    const character = text[i] ?? "";
    if (character === "\\") i++;
    else if (character === "[" && text.includes("]", i + 2)) i = text.indexOf("]", i + 2);
    else if (wanted(character, i)) return i;
  }
  return -1;
}
