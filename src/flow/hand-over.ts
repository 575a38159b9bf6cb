// Hands claims to the launcher, by their names only, and no faster than ECS starts tasks. What cannot be handed over now
// stays in the queue, and behind that is the record in the bucket.

import type { Functions } from "../aws/functions.ts";
import { dueClaims } from "../core/poll-due.ts";
import type { PolledClaim } from "../core/poll-due.ts";
import { fullPace, takePace } from "../core/poll-pace.ts";
import type { EventLog } from "./event-log.ts";

export interface HandOverDeps {
  readonly functions: Pick<Functions, "invoke">;
  /** The launcher's name. */
  readonly launcher: string;
  readonly now: () => number;
  readonly logger: EventLog;
}

export interface HandOver {
  /** A new claim: to be handed over as soon as the pace allows. */
  enqueue(name: string): void;
  /** Hands over what may go now, of the queue and of the claims whose time has come. */
  run(claims: readonly PolledClaim[]): void;
  queued(): number;
  /** Resolves when no call is under way. */
  settled(): Promise<void>;
}

const afterFailureMilliseconds = 5000;

export function createHandOver(deps: HandOverDeps): HandOver {
  const { functions, launcher, now, logger } = deps;
  /** New claims, and when each may be tried. */
  const queue = new Map<string, number>();
  const handedOver = new Map<string, number>();
  const calls = new Set<Promise<void>>();
  let pace = fullPace(now());

  const send = (claim: string) => {
    queue.delete(claim);
    handedOver.set(claim, now());
    const call = functions
      .invoke(launcher, { claim })
      .catch((cause: unknown) => {
        queue.set(claim, now() + afterFailureMilliseconds);
        logger.error("The launcher could not be invoked; tried again soon", { claim }, cause);
      })
      .finally(() => calls.delete(call));
    calls.add(call);
  };

  return {
    enqueue: (name) => queue.set(name, 0),
    run(claims) {
      const open = new Set(claims.map(({ name }) => name));
      for (const name of handedOver.keys()) {
        if (!open.has(name) && !queue.has(name)) handedOver.delete(name);
      }
      const ready = [...queue].filter(([, at]) => at <= now()).map(([name]) => name);
      const due = dueClaims(claims, handedOver, now()).filter((name) => !queue.has(name));
      const wanted = [...ready, ...due];
      const taken = takePace(pace, wanted.length, now());
      ({ pace } = taken);
      for (const name of wanted.slice(0, taken.granted)) send(name);
    },
    queued: () => queue.size,
    async settled() {
      while (calls.size > 0) await Promise.all(calls);
    },
  };
}
