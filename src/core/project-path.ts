// Paths and globs that a job names for artifacts and caches: relative to the project, or absolute and
// inside it. Lexical only; whoever walks the files must not follow links out of the project.

export type ProjectPath =
  | { readonly kind: "inside"; readonly relative: string }
  | { readonly kind: "outside" };

/** The path without `.`, `..` and doubled slashes; "." is the project itself. */
export function projectPath(path: string, projectDir: string): ProjectPath {
  if (!path.startsWith("/")) return fromSegments(path.split("/"), []);
  const root = absoluteSegments(projectDir);
  const segments = absoluteSegments(path);
  const below = root.every((segment, index) => segments[index] === segment);
  return below ? fromSegments(segments.slice(root.length), []) : { kind: "outside" };
}

export interface SelectedPaths {
  readonly paths: readonly string[];
  readonly warnings: readonly string[];
}

/** Those inside the project, and a sentence for every other. */
export function selectPaths(paths: readonly string[], projectDir: string): SelectedPaths {
  const inside: string[] = [];
  const warnings: string[] = [];
  for (const path of paths) {
    // A reference to a variable that is not set: nothing was meant, surely not the whole project.
    if (path.trim() === "") continue;
    const place = projectPath(path, projectDir);
    if (place.kind === "inside") inside.push(place.relative);
    else
      warnings.push(`${path}: is not inside the project directory ${projectDir}, and is left out`);
  }
  return { paths: inside, warnings };
}

function absoluteSegments(path: string): readonly string[] {
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  return segments;
}

function fromSegments(rest: readonly string[], walked: readonly string[]): ProjectPath {
  const segments = [...walked];
  for (const segment of rest) {
    if (segment === "" || segment === ".") continue;
    if (segment !== "..") segments.push(segment);
    else if (segments.pop() === undefined) return { kind: "outside" };
  }
  return { kind: "inside", relative: segments.length === 0 ? "." : segments.join("/") };
}
