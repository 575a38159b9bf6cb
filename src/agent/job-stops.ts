// Why a job may have to stop before its time, and what that stops: everything at once, or only the
// user's script (GitLab's graceful cancel, which still runs after_script).

export type StopReason =
  /** Canceled on GitLab. */
  | "canceled"
  /** GitLab has ended the job itself and takes no more of it. */
  | "aborted"
  /** The job's time limit. */
  | "timeout"
  /** The runner itself was told to stop. */
  | "interrupted"
  /** The job's container will not come; the launcher knows why. */
  | "lost"
  /** The agent itself cannot go on: see `trouble`. */
  | "broken";

export type JobPhase = "before" | "script" | "after";

export interface JobStops {
  /** Raised when no stage may go on. */
  readonly all: AbortSignal;
  /** Raised when the user's script must end; raised by `all` too. */
  readonly script: AbortSignal;
  /** The first reason given, if any. */
  readonly reason: StopReason | undefined;
  /** GitLab asked for the cancel of this job, whatever it still changed. */
  readonly canceled: boolean;
  /** Up to the script, within it, behind it. */
  readonly phase: JobPhase;
  /** What broke the agent, as a sentence for the job's log. */
  readonly trouble: string;
  stop(reason: Exclude<StopReason, "broken">): void;
  breakOff(trouble: string): void;
  /** Before the script begins a cancel stops everything; within it, the script; afterwards nothing. */
  enter(phase: "script" | "after"): void;
}

export function createJobStops(): JobStops {
  const everything = new AbortController();
  const onlyScript = new AbortController();
  const script = AbortSignal.any([everything.signal, onlyScript.signal]);
  let phase: JobPhase = "before";
  let reason: StopReason | undefined;
  let canceled = false;
  let trouble = "";
  const stop = (why: StopReason) => {
    if (why === "canceled" || why === "aborted") canceled = true;
    if (everything.signal.aborted) return;
    if (why === "canceled" && phase === "after") return;
    reason = why;
    if (why === "canceled" && phase === "script") onlyScript.abort();
    else everything.abort();
  };
  return {
    all: everything.signal,
    script,
    get reason() {
      return reason;
    },
    get canceled() {
      return canceled;
    },
    get phase() {
      return phase;
    },
    get trouble() {
      return trouble;
    },
    stop,
    breakOff(what) {
      trouble ||= what;
      stop("broken");
    },
    enter(next) {
      phase = next;
    },
  };
}
