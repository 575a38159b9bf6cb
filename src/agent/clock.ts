// Time that only goes forward, and waiting: for spans that a timer of Node's cannot hold (24.8 days), and
// with an early end by signal. All of it runs on the monotonic clock: a jump of the wall clock changes no
// deadline and no duration.

/** Milliseconds since the epoch by the wall clock of this process's start: no later jump of it is seen. */
export function steadyNow(): number {
  return performance.timeOrigin + performance.now();
}

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
