// The lines of docs/unproven.md: rows of its tables that begin with a name in backquotes.

export interface UnprovenLine {
  readonly name: string;
  readonly belief: string;
  readonly otherwise: string;
}

export function unprovenLines(page: string): readonly UnprovenLine[] {
  return page.split("\n").flatMap((line) => {
    const [, name, belief, otherwise] = /^\| `([a-z0-9-]+)` \| (.+) \| (.+) \|$/.exec(line) ?? [];
    if (name === undefined || belief === undefined || otherwise === undefined) return [];
    return [{ name, belief, otherwise }];
  });
}
