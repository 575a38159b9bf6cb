// A clock that moves when told: whoever sleeps by it wakes when the test says so, and not before.

export interface SteppedClock {
  now(): number;
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** Wakes the one that sleeps, its time being over, and waits until it sleeps again. Gives the time it slept. */
  step(): Promise<number>;
  /** The same, for a sleeper that will sleep no more. */
  wake(): Promise<number>;
  /** From now on nobody waits: time jumps. */
  run(): void;
  /** Every wait since the clock runs, in seconds. */
  readonly waits: readonly number[];
}

interface Sleeper {
  readonly milliseconds: number;
  readonly wake: () => void;
}

export function steppedClock(): SteppedClock {
  let time = 0;
  let running = false;
  let sleeper: Sleeper | undefined;
  let onSleep: (() => void) | undefined;
  const waits: number[] = [];

  const asleep = async (): Promise<Sleeper> => {
    while (sleeper === undefined) {
      await new Promise<void>((resolve) => {
        onSleep = resolve;
      });
    }
    return sleeper;
  };
  const wake = async () => {
    const { milliseconds, wake: stir } = await asleep();
    sleeper = undefined;
    time += milliseconds;
    stir();
    return milliseconds;
  };
  return {
    now: () => time,
    sleep: (milliseconds, signal) =>
      new Promise((resolve) => {
        if (running) {
          waits.push(milliseconds / 1000);
          time += milliseconds;
          setImmediate(resolve);
          return;
        }
        const stir = () => {
          signal?.removeEventListener("abort", stir);
          resolve();
        };
        signal?.addEventListener("abort", stir);
        sleeper = { milliseconds, wake: stir };
        onSleep?.();
      }),
    async step() {
      const slept = await wake();
      await asleep();
      return slept;
    },
    wake,
    run() {
      running = true;
    },
    waits,
  };
}
