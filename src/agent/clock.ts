// Waiting, for spans that a timer of Node's cannot hold (24.8 days) and with an early end by signal.
// Timers run on the monotonic clock: a jump of the wall clock changes no deadline.

const longestTimerMilliseconds = 2 ** 31 - 1;

/** Resolves after `milliseconds`, or as soon as the signal is aborted. Never rejects. */
export async function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  for (let left = milliseconds; left > 0 && signal?.aborted !== true;) {
    const span = Math.min(left, longestTimerMilliseconds);
    await nap(span, signal);
    left -= span;
  }
}

function nap(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, milliseconds);
    signal?.addEventListener("abort", wake, { once: true });
  });
}
