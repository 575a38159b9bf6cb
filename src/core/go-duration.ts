// Durations in Go's notation ("1h30m", "1.5s"), which GitLab's timeout variables use, and back.

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const term = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;

/** Milliseconds; undefined where Go would refuse the text. "0" needs no unit. */
export function parseDurationMs(text: string): number | undefined {
  const sign = text.startsWith("-") ? -1 : 1;
  const unsigned = text.replace(/^[+-]/, "");
  if (unsigned === "0") return 0;
  if (unsigned === "") return undefined;
  let total = 0;
  let position = 0;
  while (position < unsigned.length) {
    term.lastIndex = position;
    const match = term.exec(unsigned);
    if (match === null) return undefined;
    total += Number(match[1]) * (unitMs[match[2] ?? ""] ?? 0);
    position = term.lastIndex;
  }
  return total === 0 ? 0 : sign * total;
}

/** As Go prints it: `1h0m0s`, `1m30s`, `1.5s`, `250ms`, `0s`. */
export function formatDurationMs(durationMs: number): string {
  const sign = durationMs < 0 ? "-" : "";
  const size = Math.abs(durationMs);
  if (size === 0) return "0s";
  if (size < 1e-3) return `${sign}${String(Math.round(size * 1e6))}ns`;
  if (size < 1) return `${sign}${decimal(size * 1e3)}µs`;
  if (size < 1000) return `${sign}${decimal(size)}ms`;
  const hours = Math.floor(size / 3_600_000);
  const minutes = Math.floor((size % 3_600_000) / 60_000);
  const seconds = `${decimal((size % 60_000) / 1000)}s`;
  if (hours > 0) return `${sign}${String(hours)}h${String(minutes)}m${seconds}`;
  if (minutes > 0) return `${sign}${String(minutes)}m${seconds}`;
  return `${sign}${seconds}`;
}

function decimal(value: number): string {
  return String(Number(value.toFixed(9)));
}
