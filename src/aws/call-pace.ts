// Calls to AWS no faster than its bucket for them refills, and again after a throttle: others in the account draw from
// the same bucket.

export interface Bucket {
  /** Calls that may be made at once. */
  readonly capacity: number;
  readonly perSecond: number;
}

export interface PaceClock {
  /** Milliseconds. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

export type CallPace = <T>(call: () => Promise<T>) => Promise<T>;

/** With the waits between them, some two minutes. */
const mostTries = 9;
const longestWaitMs = 30_000;

/** For calls that are made one after the other. */
export function callPace({ capacity, perSecond }: Bucket, { now, sleep }: PaceClock): CallPace {
  let left = capacity;
  let at = now();
  const fill = () => {
    const moment = now();
    left = Math.min(capacity, left + ((moment - at) / 1000) * perSecond);
    at = moment;
  };
  const turn = async () => {
    fill();
    if (left < 1) {
      await sleep(Math.ceil(((1 - left) / perSecond) * 1000));
      fill();
    }
    left = Math.max(0, left - 1);
  };
  return async (call) => {
    for (let tries = 1; ; tries++) {
      await turn();
      try {
        return await call();
      } catch (error) {
        if (!isThrottle(error) || tries === mostTries) throw error;
        // It is emptier than we believed.
        left = 0;
        await sleep(Math.min(longestWaitMs, 1000 * 2 ** (tries - 1)));
      }
    }
  };
}

function isThrottle(error: unknown): boolean {
  return error instanceof Error && /throttl|rate exceeded/i.test(`${error.name} ${error.message}`);
}
