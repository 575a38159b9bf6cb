// Durations as people write them: "1h 30m", "3 days", "2 hours and 5 minutes", "3600" (seconds).

const UNITS: Readonly<Record<string, number>> = {
  s: 1,
  sec: 1,
  second: 1,
  m: 60,
  min: 60,
  minute: 60,
  h: 3600,
  hr: 3600,
  hour: 3600,
  d: 86_400,
  dy: 86_400,
  day: 86_400,
  w: 604_800,
  wk: 604_800,
  week: 604_800,
  mo: 2_592_000,
  mon: 2_592_000,
  mos: 2_592_000,
  month: 2_592_000,
  y: 31_557_600,
  yr: 31_557_600,
  year: 31_557_600,
};

const PART = /(?<amount>\d+(?:\.\d+)?)\s*(?<unit>[a-z]*)(?:\s*,\s*|\s+and\s+|\s*)/y;
const CLOCK = /^(?:(?<hours>\d+):)?(?<minutes>\d{1,2}):(?<seconds>\d{1,2})$/;

/** Seconds; undefined when the text is not a duration. A number without a unit means seconds. */
export function durationSeconds(text: string): number | undefined {
  const input = text.trim().toLowerCase();
  const clock = CLOCK.exec(input)?.groups;
  if (clock) {
    const { hours = "0", minutes = "0", seconds = "0" } = clock;
    return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  }
  if (input === "") return undefined;
  let total = 0;
  PART.lastIndex = 0;
  while (PART.lastIndex < input.length) {
    const part = PART.exec(input)?.groups;
    const seconds = part && unitSeconds(part["unit"] ?? "");
    if (!part || seconds === undefined) return undefined;
    total += Number(part["amount"]) * seconds;
  }
  return Math.round(total);
}

export function isDuration(text: string): boolean {
  const seconds = durationSeconds(text);
  return seconds !== undefined && seconds > 0;
}

function unitSeconds(unit: string): number | undefined {
  if (unit === "") return 1;
  return UNITS[unit] ?? (unit.endsWith("s") ? UNITS[unit.slice(0, -1)] : undefined);
}
