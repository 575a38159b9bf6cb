// A wait that ends when somebody rings, also when it was rung just before.

export interface Bell {
  ring(): void;
  wait(milliseconds: number): Promise<void>;
}

export function createBell(
  sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>,
): Bell {
  let rung = new AbortController();
  return {
    ring: () => rung.abort(),
    async wait(milliseconds) {
      await sleep(milliseconds, rung.signal);
      rung = new AbortController();
    },
  };
}
