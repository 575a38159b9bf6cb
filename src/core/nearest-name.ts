// The known name that a misspelt one was probably meant to be: for answers to unknown settings, keys and
// flags. Case, dashes and underscores do not count as differences, so `tls-ca-file` finds `tls_ca_file`.

/** The nearest of `names`, or undefined where none is near enough to be worth suggesting. */
export function nearestName(word: string, names: Iterable<string>): string | undefined {
  const wanted = bare(word);
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const name of names) {
    const candidate = bare(name);
    const distance = editDistance(wanted, candidate);
    const allowed = Math.floor(Math.max(wanted.length, candidate.length) / 3);
    if (distance <= allowed && (best === undefined || distance < best.distance)) {
      best = { name, distance };
    }
  }
  return best?.name;
}

/** `; did you mean "builds_dir"?`, or nothing: to be put behind a sentence. */
export function didYouMean(word: string, names: Iterable<string>): string {
  const nearest = nearestName(word, names);
  return nearest === undefined ? "" : `; did you mean ${JSON.stringify(nearest)}?`;
}

function bare(name: string): string {
  return name.toLowerCase().replaceAll(/[-_\s]/g, "");
}

/** Insertions, deletions, replacements and swaps of neighbours, each counted as one. */
function editDistance(left: string, right: string): number {
  let beforePrevious: readonly number[] = [];
  let previous: readonly number[] = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      let cost = Math.min(
        cell(previous, column) + 1,
        cell(current, column - 1) + 1,
        cell(previous, column - 1) + (same ? 0 : 1),
      );
      const swapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (row > 1 && column > 1 && swapped) {
        cost = Math.min(cost, cell(beforePrevious, column - 2) + 1);
      }
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return cell(previous, right.length);
}

function cell(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
