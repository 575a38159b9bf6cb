// Collects what is wrong with a pipeline, so that its author sees all of it at once. The same piece of
// text may be read for many jobs (through extends); it is reported once.

import type { Position } from "./node.ts";
import type { PipelineMistake } from "./types.ts";

export class Mistakes {
  readonly #mainFile: string;
  readonly #mistakes = new Map<string, PipelineMistake & { readonly file: string }>();
  readonly #warnings = new Set<string>();

  constructor(mainFile: string) {
    this.#mainFile = mainFile;
  }

  report(at: Position, keyword: string, message: string): void {
    if (at.broken) return;
    const where = at.file === this.#mainFile ? "" : `${at.file}, line ${at.line}: `;
    const mistake = { file: at.file, line: at.line, keyword, message: where + message };
    this.#mistakes.set(JSON.stringify(mistake), mistake);
  }

  warn(at: Position, keyword: string, message: string): void {
    this.#warnings.add(`${at.file}, line ${at.line}: ${keyword}: ${message}`);
  }

  get count(): number {
    return this.#mistakes.size;
  }

  /** In the order of the lines, those of the main file first. */
  list(): PipelineMistake[] {
    const rank = (file: string) => (file === this.#mainFile ? "" : file);
    return [...this.#mistakes.values()]
      .toSorted((a, b) => rank(a.file).localeCompare(rank(b.file)) || a.line - b.line)
      .map(({ line, keyword, message }) => ({ line, keyword, message }));
  }

  warnings(): string[] {
    return [...this.#warnings];
  }
}
