// Patterns of `rules:if`: GitLab reads them with RE2, so what RE2 lacks (look-around, references to
// groups) is refused, and what JavaScript writes differently is translated.

export interface Pattern {
  readonly kind: "pattern";
  readonly test: (text: string) => boolean;
}

export type ParsedPattern = Pattern | { readonly kind: "invalid"; readonly message: string };

const CLASSES: Readonly<Record<string, string>> = {
  alnum: "A-Za-z0-9",
  alpha: "A-Za-z",
  digit: "0-9",
  lower: "a-z",
  upper: "A-Z",
  space: "\\s",
  punct: "!-\\/:-@\\[-`{-~",
  word: "\\w",
  xdigit: "0-9A-Fa-f",
};

/** Takes `/text/flags`. Flags are i, m, s and U (ungreedy, which changes no match). */
export function parsePattern(literal: string): ParsedPattern {
  const parts = /^\/(?<source>.+)\/(?<flags>[ismU]*)$/s.exec(literal)?.groups;
  if (!parts) return { kind: "invalid", message: "does not stand between slashes" };
  const { source = "", flags = "" } = parts;
  const inline = /^\(\?(?<flags>[ims]+)\)/.exec(source);
  const body = source.slice(inline?.[0].length ?? 0).replaceAll("\\/", "/");
  const missing = /\(\?<?[=!]/.test(body)
    ? "look-around"
    : /\\[1-9]/.test(body)
      ? "references"
      : "";
  if (missing) return { kind: "invalid", message: `uses ${missing}; GitLab's patterns have none` };
  const all = new Set(`${flags}${inline?.groups?.["flags"] ?? ""}`.replace("U", ""));
  try {
    const expression = new RegExp(translate(body), [...all].join(""));
    return { kind: "pattern", test: (text) => expression.test(text) };
  } catch {
    return { kind: "invalid", message: "is not a regular expression" };
  }
}

function translate(body: string): string {
  return body
    .replaceAll("\\A", "(?<![\\s\\S])")
    .replaceAll("\\z", "(?![\\s\\S])")
    .replaceAll("(?P<", "(?<")
    .replace(/\[:(?<name>[a-z]+):\]/g, (whole, name: string) => CLASSES[name] ?? whole);
}
