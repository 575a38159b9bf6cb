// How much of a job's trace GitLab has, what to send next, and what its answers mean for that. Pure: the
// pump sends, waits and asks the clock. Offsets are of our own bytes; only `nextPatch` gives GitLab's.

export const maxPatchBytes: number = 1024 * 1024;
export const initialIntervalSeconds = 3;
const longestIntervalSeconds = 15 * 60;
/** After this long without a sign from us, a running job is touched. */
const longestSilenceSeconds = 30;
const longestRetrySeconds = 60 * 60;

export interface TraceWindow {
  /** Bytes of ours that GitLab has. */
  readonly sent: number;
  /** Bytes of others that stand before ours at GitLab: a launcher's that died after it wrote. */
  readonly foreign: number;
  /** Where our bytes may end at GitLab after patches that nobody answered; only where we go on behind others. */
  readonly unanswered: readonly number[] | undefined;
  /** How long to wait from one send to the next. */
  readonly intervalSeconds: number;
  /** When GitLab last took note of this job, in milliseconds. */
  readonly lastContact: number;
}

export interface TracePatch {
  /** Which of our bytes. */
  readonly from: number;
  readonly to: number;
  /** Where they begin in GitLab's trace. */
  readonly offset: number;
  readonly contentRange: string;
}

/** What GitLab tells with any answer about a job. */
export interface JobNews {
  readonly jobStatus?: string | undefined;
  /** `X-GitLab-Trace-Update-Interval`, as a header or already a number. */
  readonly intervalSeconds?: string | number | undefined;
}

export type TraceReply = JobNews &
  (
    | { readonly kind: "accepted" }
    /** 416: `size` is what GitLab has; undefined if it does not say. */
    | { readonly kind: "rangeMismatch"; readonly size: number | undefined }
    | { readonly kind: "aborted" }
    | { readonly kind: "unavailable" }
  );

/** What the running job is to do. */
export type JobOrder = "go-on" | "cancel-gracefully" | "abort";

export interface AfterPatch {
  readonly window: TraceWindow;
  readonly outcome: "sent" | "resend" | "failed";
  readonly order: JobOrder;
}

/**
 * `now`: milliseconds, when GitLab last heard of the job (it was claimed, or said to be running). `inherited`: so many
 * of our bytes somebody else has sent before us.
 */
export function openWindow(now: number, inherited: number = 0): TraceWindow {
  return {
    sent: inherited,
    foreign: 0,
    unanswered: inherited > 0 ? [] : undefined,
    intervalSeconds: initialIntervalSeconds,
    lastContact: now,
  };
}

/** The next bytes to send of `size` in all; undefined when there are none: an empty patch is never sent. */
export function nextPatch(window: TraceWindow, size: number): TracePatch | undefined {
  const from = window.sent;
  if (from >= size) return undefined;
  const to = Math.min(size, from + maxPatchBytes);
  const offset = window.foreign + from;
  return { from, to, offset, contentRange: `${offset}-${window.foreign + to - 1}` };
}

export function onPatchReply(
  window: TraceWindow,
  patch: TracePatch,
  reply: TraceReply,
  now: number,
  size: number,
): AfterPatch {
  const told = heard(window, reply);
  const order = reply.kind === "aborted" ? "abort" : orderOf(reply.jobStatus);
  switch (reply.kind) {
    case "accepted":
      return {
        window: { ...told, ...answered(window), sent: patch.to, lastContact: now },
        outcome: "sent",
        order,
      };
    case "rangeMismatch":
      return {
        window: {
          ...told,
          ...answered(window),
          ...goOnAt(window, reply.size ?? 0, size),
          lastContact: now,
        },
        outcome: "resend",
        order,
      };
    case "aborted":
      return { window: told, outcome: "failed", order };
    case "unavailable": {
      const { unanswered } = window;
      const ends = unanswered === undefined ? undefined : [...unanswered, patch.to];
      return { window: { ...told, unanswered: ends }, outcome: "failed", order };
    }
  }
}

function answered({ unanswered }: TraceWindow): Pick<TraceWindow, "unanswered"> {
  return { unanswered: unanswered === undefined ? undefined : [] };
}

/**
 * GitLab's trace is `theirs` bytes long; ours has `size`. If it has more than we ever wrote, somebody
 * else wrote too, and what we have not sent goes behind that.
 */
function goOnAt(
  window: TraceWindow,
  theirs: number,
  size: number,
): Pick<TraceWindow, "sent" | "foreign"> {
  const ours = theirs - window.foreign;
  if (ours < 0) return { sent: 0, foreign: theirs };
  // Behind others' bytes a length that no patch of ours can have made is none of ours, however much we have.
  const isOurs = ours <= window.sent || window.unanswered?.includes(ours) !== false;
  if (ours <= size && isOurs) return { sent: ours, foreign: window.foreign };
  return { sent: window.sent, foreign: theirs - window.sent };
}

/** Anything GitLab answered to a `PUT` that keeps the job alive, or to any call that it understood. */
export function onContact(window: TraceWindow, news: JobNews, now: number): TraceWindow {
  return { ...heard(window, news), lastContact: now };
}

/** The job is over: what is left is sent at the first pace again, which GitLab may slow down. */
export function beginFinal(window: TraceWindow): TraceWindow {
  return { ...window, intervalSeconds: initialIntervalSeconds };
}

/** 412: GitLab found its trace to be wrong, and wants all of it again. */
export function rewind(window: TraceWindow): TraceWindow {
  return { ...window, sent: 0 };
}

export function orderOf(jobStatus: string | undefined): JobOrder {
  if (jobStatus === "canceled" || jobStatus === "failed") return "abort";
  return jobStatus === "canceling" ? "cancel-gracefully" : "go-on";
}

function heard(window: TraceWindow, news: JobNews): TraceWindow {
  const intervalSeconds = adoptInterval(window.intervalSeconds, news.intervalSeconds);
  return { ...window, intervalSeconds };
}

/** The interval to go on with: what GitLab tells, unless that is no positive whole number; 15 minutes at most. */
export function adoptInterval(currentSeconds: number, told: string | number | undefined): number {
  if (told === undefined) return currentSeconds;
  const seconds = typeof told === "number" || /^\+?\d+$/.test(told) ? Number(told) : Number.NaN;
  if (!Number.isSafeInteger(seconds) || seconds <= 0) return currentSeconds;
  return Math.min(seconds, longestIntervalSeconds);
}

/** Whether a silent job has to be touched. A clock that was set back must not keep us silent for hours. */
export function contactIsDue(lastContact: number, now: number): boolean {
  return Math.abs(now - lastContact) > longestSilenceSeconds * 1000;
}

/** How long to wait before the final update is tried again, `failures` having failed: 1, 2, 4 s, an hour at most. */
export function finalRetrySeconds(failures: number): number {
  return Math.min(2 ** (failures - 1), longestRetrySeconds);
}

/** As GitLab wants it in `output.checksum`. */
export function formatChecksum(crc: number): string {
  return `crc32:${(crc >>> 0).toString(16).padStart(8, "0")}`;
}

export interface TraceOutput {
  readonly checksum?: string;
  readonly bytesize: number;
}

/** `output` of a job update. What others wrote is in GitLab's checksum and not in ours: then none is sent. */
export function traceOutput(window: TraceWindow, crc: number, size: number): TraceOutput {
  const bytesize = window.foreign + size;
  return window.foreign > 0 ? { bytesize } : { checksum: formatChecksum(crc), bytesize };
}
