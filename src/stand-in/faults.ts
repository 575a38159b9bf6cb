// Trouble made to order: the next so many requests that match are refused, delayed or cut.

import * as z from "zod";

export interface Fault {
  readonly match: string;
  readonly effect: FaultEffect;
  left: number;
}

export type FaultEffect =
  | { readonly kind: "status"; readonly status: number; readonly retryAfterSeconds?: number }
  | { readonly kind: "latency"; readonly milliseconds: number }
  /** A shorter body is handled to its end, and only the answer is lost. */
  | { readonly kind: "cut"; readonly afterBytes: number };

const matchPattern = /^(?:[A-Z]+|\*) \/\S*$/;

const faultSchema = z
  .strictObject({
    match: z
      .string()
      .regex(matchPattern, 'must be "METHOD /path", for example "PATCH /api/v4/jobs/*/trace"'),
    times: z.number().int().min(1).default(1),
    status: z.number().int().min(400).max(599).optional(),
    retry_after_seconds: z.number().int().min(0).optional(),
    latency_ms: z.number().int().min(0).max(600_000).optional(),
    cut_after_bytes: z.number().int().min(0).optional(),
  })
  .superRefine((fault, context) => {
    const effects = [fault.status, fault.latency_ms, fault.cut_after_bytes];
    if (effects.filter((effect) => effect !== undefined).length !== 1) {
      context.addIssue("exactly one of status, latency_ms and cut_after_bytes must be given");
    }
    if (fault.retry_after_seconds !== undefined && fault.status === undefined) {
      context.addIssue("retry_after_seconds goes with status");
    }
  });

export type FaultRequest = z.input<typeof faultSchema>;

export type ParsedFault =
  | { readonly kind: "fault"; readonly fault: Fault }
  | { readonly kind: "invalid"; readonly message: string };

export function parseFault(value: unknown): ParsedFault {
  const parsed = faultSchema.safeParse(value);
  if (!parsed.success) {
    const complaints = parsed.error.issues.map((issue) =>
      issue.path.length === 0 ? issue.message : `${issue.path.join(".")}: ${issue.message}`,
    );
    return { kind: "invalid", message: complaints.join("; ") };
  }
  const { match, times, status, retry_after_seconds: retryAfter } = parsed.data;
  const { latency_ms: milliseconds, cut_after_bytes: afterBytes } = parsed.data;
  return { kind: "fault", fault: { match, left: times, effect: effect() } };

  function effect(): FaultEffect {
    if (status !== undefined) {
      // Whoever says 429 says for how long, as GitLab does.
      const seconds = retryAfter ?? (status === 429 ? 1 : undefined);
      return {
        kind: "status",
        status,
        ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }),
      };
    }
    if (milliseconds !== undefined) return { kind: "latency", milliseconds };
    return { kind: "cut", afterBytes: afterBytes ?? 0 };
  }
}

export class Faults {
  readonly #faults: Fault[] = [];

  add(fault: Fault) {
    this.#faults.push(fault);
  }

  clear() {
    this.#faults.length = 0;
  }

  all(): readonly Fault[] {
    return this.#faults;
  }

  /** The first fault that applies, used up by one. */
  take(method: string, path: string): FaultEffect | undefined {
    const index = this.#faults.findIndex((fault) => matches(fault.match, method, path));
    const fault = this.#faults[index];
    if (fault === undefined) return undefined;
    fault.left -= 1;
    if (fault.left === 0) this.#faults.splice(index, 1);
    return fault.effect;
  }
}

/** Without `*` the path is a prefix; with it the whole path: `*` within a segment, `**` across. */
function matches(match: string, method: string, path: string): boolean {
  const [wantedMethod = "", wantedPath = ""] = match.split(" ");
  if (wantedMethod !== "*" && wantedMethod !== method) return false;
  if (!wantedPath.includes("*")) return path.startsWith(wantedPath);
  const pattern = wantedPath
    .split(/(\*+)/)
    .map((part, index) => {
      if (index % 2 === 0) return part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&");
      return part.length > 1 ? ".*" : "[^/]*";
    })
    .join("");
  return new RegExp(`^${pattern}$`).test(path);
}
