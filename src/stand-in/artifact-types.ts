// The kinds of artifacts GitLab knows, and the one format each may have.

export const artifactFormats: Readonly<Record<string, "zip" | "gzip" | "raw">> = {
  archive: "zip",
  metadata: "gzip",
  trace: "raw",
  junit: "gzip",
  metrics: "gzip",
  metrics_referee: "gzip",
  network_referee: "gzip",
  dotenv: "gzip",
  cobertura: "gzip",
  jacoco: "gzip",
  cluster_applications: "gzip",
  lsif: "zip",
  scip: "zip",
  cyclonedx: "gzip",
  annotations: "gzip",
  repository_xray: "gzip",
  sast: "raw",
  secret_detection: "raw",
  dependency_scanning: "raw",
  container_scanning: "raw",
  cluster_image_scanning: "raw",
  dast: "raw",
  license_scanning: "raw",
  accessibility: "raw",
  codequality: "raw",
  performance: "raw",
  browser_performance: "raw",
  load_performance: "raw",
  terraform: "raw",
  requirements: "raw",
  requirements_v2: "raw",
  coverage_fuzzing: "raw",
  api_fuzzing: "raw",
  sarif: "raw",
};

const unitSeconds: Readonly<Record<string, number>> = {
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
  day: 86_400,
  w: 604_800,
  wk: 604_800,
  week: 604_800,
  mo: 2_592_000,
  mos: 2_592_000,
  month: 2_592_000,
  y: 31_557_600,
  yr: 31_557_600,
  year: 31_557_600,
};

export type Expiry =
  | { readonly kind: "never" }
  | { readonly kind: "after"; readonly seconds: number }
  | { readonly kind: "unreadable" };

/** `1 week`, `3 mins 4 sec`, `1h30m`, `42` (seconds), `never`. */
export function parseExpiry(text: string): Expiry {
  const trimmed = text.trim().toLowerCase();
  if (trimmed === "never") return { kind: "never" };
  if (/^\d+$/.test(trimmed)) return { kind: "after", seconds: Number(trimmed) };
  const words = /(\d+(?:\.\d+)?)\s*([a-z]+)(?:\s*,\s*|\s+and\s+|\s+|(?=\d)|$)/gy;
  let seconds = 0;
  while (words.lastIndex < trimmed.length) {
    const matched = words.exec(trimmed);
    const [, amount, unit = ""] = matched ?? [];
    const perUnit = unitSeconds[unit] ?? unitSeconds[unit.replace(/s$/, "")];
    if (amount === undefined || perUnit === undefined) return { kind: "unreadable" };
    seconds += Number(amount) * perUnit;
  }
  return seconds > 0 ? { kind: "after", seconds } : { kind: "unreadable" };
}
