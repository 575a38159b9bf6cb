// SIGINT and SIGTERM as a person means them: once, finish what you do; twice, stop now.

export interface TwoSignals {
  readonly stop: AbortSignal;
  readonly interrupt: AbortSignal;
  /** Gives the signals back their usual meaning. */
  release(): void;
}

export function listenForSignals(onFirst: () => void, onSecond: () => void): TwoSignals {
  const stop = new AbortController();
  const interrupt = new AbortController();
  const hear = () => {
    if (!stop.signal.aborted) {
      stop.abort();
      onFirst();
    } else if (!interrupt.signal.aborted) {
      interrupt.abort();
      onSecond();
    }
  };
  process.on("SIGINT", hear);
  process.on("SIGTERM", hear);
  return {
    stop: stop.signal,
    interrupt: interrupt.signal,
    release() {
      process.off("SIGINT", hear);
      process.off("SIGTERM", hear);
    },
  };
}
