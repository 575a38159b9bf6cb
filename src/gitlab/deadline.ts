// One signal out of several reasons to give a request up: the caller's, the client's close, and time.

import { GaveUp } from "./failure.ts";

export interface Deadline {
  readonly signal: AbortSignal;
  /** Forgets timer and listeners; without it they would outlive the request. */
  readonly release: () => void;
}

export function startDeadline(input: {
  readonly totalSeconds: number;
  readonly closed: AbortSignal;
  readonly caller: AbortSignal | undefined;
}): Deadline {
  const { totalSeconds, closed, caller } = input;
  const controller = new AbortController();
  const onClosed = () => controller.abort(new GaveUp("BURST_CLOSED", "the client is closed"));
  const onCaller = () => controller.abort(new GaveUp("BURST_ABORTED", "the caller gave up"));
  const timer = setTimeout(
    () => controller.abort(new GaveUp("BURST_TOTAL_TIMEOUT", "the call took too long")),
    totalSeconds * 1000,
  );
  timer.unref();
  closed.addEventListener("abort", onClosed, { once: true });
  caller?.addEventListener("abort", onCaller, { once: true });
  if (caller?.aborted === true) onCaller();
  if (closed.aborted) onClosed();
  return {
    signal: controller.signal,
    release() {
      clearTimeout(timer);
      closed.removeEventListener("abort", onClosed);
      caller?.removeEventListener("abort", onCaller);
    },
  };
}
