// The beginning of user script, asked for once, by whichever script of the job comes first. Where it is refused the job
// is not ours: nothing of it runs here, and GitLab hears no more from us.

import { FenceLost } from "./fence-lost.ts";
import type { JobStops } from "./job-stops.ts";
import type { Reports } from "./report.ts";

export interface Beginning {
  /** From here on a script may run, or have run. */
  readonly asked: boolean;
  /** Throws FenceLost. */
  begin(): Promise<void>;
}

export function onceBegun(
  reports: Pick<Reports, "begin">,
  stops: Pick<JobStops, "all">,
  onRefused: () => void,
): Beginning {
  let answer: Promise<boolean> | undefined;
  return {
    get asked() {
      return answer !== undefined;
    },
    async begin() {
      // Then nothing will be run, and it need not be ours.
      if (answer === undefined && stops.all.aborted) return;
      answer ??= reports.begin();
      if (await answer) return;
      onRefused();
      throw new FenceLost("another attempt of this job has begun");
    },
  };
}
