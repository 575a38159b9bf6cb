// A trace's lines with the time that each has in front of it.

export interface StampedLine {
  /** Milliseconds since the epoch, with fractions. */
  readonly at: number;
  readonly text: string;
}

export function stampedLines(trace: Buffer): readonly StampedLine[] {
  return trace
    .toString()
    .split("\n")
    .flatMap((text) => {
      const [, millisecond, fraction] = /^(\S{23})(\d{3})Z /.exec(text) ?? [];
      if (millisecond === undefined || fraction === undefined) return [];
      return [{ at: Date.parse(`${millisecond}Z`) + Number(fraction) / 1000, text }];
    });
}
