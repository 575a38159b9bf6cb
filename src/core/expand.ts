// One pass of `$NAME` and `${NAME}` over a text, by the rules of Go's os.Expand, which GitLab Runner
// uses for variables, image names, cache keys and artifact paths. What is put in is not expanded again.

const special = new Set("*#$@!?-0123456789");
const nameCharacter = /[A-Za-z0-9_]/;

/** `lookup` is never asked for the shell's own names: `$$` is a dollar, `$1`, `$@` and the like are empty. */
export function expandText(text: string, lookup: (name: string) => string): string {
  let expanded = "";
  let position = 0;
  for (;;) {
    const dollar = text.indexOf("$", position);
    if (dollar === -1 || dollar === text.length - 1) return expanded + text.slice(position);
    expanded += text.slice(position, dollar);
    const reference = readReference(text, dollar + 1);
    expanded += reference.name === undefined ? reference.literal : valueOf(reference.name, lookup);
    position = reference.end;
  }
}

type Reference =
  | { readonly name: string; readonly end: number }
  | { readonly name: undefined; readonly literal: string; readonly end: number };

/** What follows a dollar at `start`. A malformed `${}` or unclosed `${` is swallowed, as in Go. */
function readReference(text: string, start: number): Reference {
  const first = text.charAt(start);
  if (first === "{") {
    const close = text.indexOf("}", start + 1);
    if (close === -1) return { name: undefined, literal: "", end: start + 1 };
    if (close === start + 1) return { name: undefined, literal: "", end: close + 1 };
    return { name: text.slice(start + 1, close), end: close + 1 };
  }
  if (special.has(first)) return { name: first, end: start + 1 };
  let end = start;
  while (end < text.length && nameCharacter.test(text.charAt(end))) end += 1;
  if (end === start) return { name: undefined, literal: "$", end };
  return { name: text.slice(start, end), end };
}

function valueOf(name: string, lookup: (name: string) => string): string {
  if (name === "$") return "$";
  if (special.has(name)) return "";
  return lookup(name);
}
