// One line of the benchmark's table: something of ours, measured beside the same thing done bare.

export interface Row {
  readonly name: string;
  readonly measured: string;
  readonly baseline: string;
  /** Measured by baseline, of whatever both were counted in. */
  readonly ratio: number;
  /** What we want of the ratio. */
  readonly aim: { readonly atMost: number } | { readonly atLeast: number } | undefined;
  /** Of the process measured, in bytes. */
  readonly memory: number | undefined;
  /** Aim for the memory, in bytes. */
  readonly memoryAim?: number;
}

export interface Benchmark {
  readonly name: string;
  /** Throws where a result is wrong; never because of the time it took. */
  run(options: BenchmarkOptions): Promise<readonly Row[]>;
}

export interface BenchmarkOptions {
  /** Smaller, fewer rounds: to see that everything works. */
  readonly quick: boolean;
  /** A line that is shown at once: what is being done, where the time goes. */
  readonly note: (text: string) => void;
}

const heads = ["", "measured", "baseline", "ratio", "aim", "memory"] as const;

export function formatTable(rows: readonly Row[]): string {
  const lines = [heads, ...rows.map(cells)];
  const widths = heads.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!),
        )
        .join("  "),
    )
    .join("\n");
}

function cells(row: Row): readonly string[] {
  return [
    row.name,
    row.measured,
    row.baseline,
    `${row.ratio.toFixed(2)}x`,
    aimText(row),
    row.memory === undefined
      ? ""
      : `${megabytes(row.memory)}${
          row.memoryAim === undefined ? "" : ` (aim < ${megabytes(row.memoryAim)})`
        }`,
  ];
}

function aimText({ aim }: Row): string {
  if (aim === undefined) return "";
  return "atMost" in aim ? `<= ${aim.atMost}x` : `>= ${aim.atLeast}x`;
}

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

export function milliseconds(duration: number): string {
  return duration >= 10_000 ? `${(duration / 1000).toFixed(1)} s` : `${Math.round(duration)} ms`;
}

export function rate(bytes: number, durationMs: number): string {
  return `${Math.round(bytes / 1000 / durationMs)} MB/s`;
}
