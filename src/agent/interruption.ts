// The agent is told to stop (SIGTERM, or Ctrl-C): what that means for its job. On one machine the job ends, and the agent
// tells GitLab; in a task on ECS it goes back to whoever launched it, who knows why the task has to end.

import { sleep } from "./clock.ts";
import { toldToStop } from "./early-signal.ts";
import type { JobStops } from "./job-stops.ts";
import type { Launcher } from "./launcher.ts";
import type { Beginning } from "./once-begun.ts";
import type { TracePump } from "./trace-pump.ts";

/** How long a job whose scripts have run may still keep what it has made: less than ECS leaves it. */
const keepingMilliseconds = 100_000;

export interface Interruption {
  /** We were told to stop. */
  readonly heard: boolean;
  /** The job's outcome stands: from now on a signal changes nothing, and does not end us either. */
  ignore(): void;
  deafen(): void;
}

export function hearInterrupts(at: {
  readonly launcher: Launcher;
  readonly stops: JobStops;
  readonly pump: TracePump;
  readonly beginning: Beginning;
  readonly over: AbortSignal;
}): Interruption {
  const { launcher, stops, pump, beginning, over } = at;
  let heard = false;
  let ignoring = false;
  const stop = () => stops.stop("interrupted");
  const hear = () => {
    heard = true;
    if (ignoring) return;
    if (!launcher.handsBack) return stop();
    // It ends already, for a reason of its own.
    if (stops.all.aborted) return;
    // Its scripts are done, and what they made is worth the time we have.
    if (stops.phase === "after") return void sleep(keepingMilliseconds, over).then(stop);
    // Nothing of the job has been run: it may begin again elsewhere as if it had never been here.
    if (!beginning.asked) pump.silence();
    stop();
  };
  process.on("SIGTERM", hear);
  process.on("SIGINT", hear);
  if (toldToStop.aborted) hear();
  return {
    get heard() {
      return heard;
    },
    ignore() {
      ignoring = true;
    },
    deafen() {
      process.off("SIGTERM", hear);
      process.off("SIGINT", hear);
    },
  };
}
