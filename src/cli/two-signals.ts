// SIGINT and SIGTERM as a person means them: once, finish what you do; twice, stop now.

/** One Ctrl-C comes twice where npm stands between: from the terminal, and passed on. */
const sameKeyMilliseconds = 500;

export interface TwoSignals {
  readonly stop: AbortSignal;
  readonly interrupt: AbortSignal;
  /** Gives the signals back their usual meaning. */
  release(): void;
}

export function listenForSignals(
  onFirst: () => void,
  onSecond: () => void,
  source: Pick<NodeJS.EventEmitter, "on" | "off"> = process,
): TwoSignals {
  const stop = new AbortController();
  const interrupt = new AbortController();
  let lastInt = Number.NEGATIVE_INFINITY;
  const hear = (signal: NodeJS.Signals) => {
    const now = performance.now();
    const isSameKey = signal === "SIGINT" && now - lastInt < sameKeyMilliseconds;
    if (signal === "SIGINT") lastInt = now;
    if (isSameKey) return;
    if (!stop.signal.aborted) {
      stop.abort();
      onFirst();
    } else if (!interrupt.signal.aborted) {
      interrupt.abort();
      onSecond();
    }
  };
  source.on("SIGINT", hear);
  source.on("SIGTERM", hear);
  return {
    stop: stop.signal,
    interrupt: interrupt.signal,
    release() {
      source.off("SIGINT", hear);
      source.off("SIGTERM", hear);
    },
  };
}
