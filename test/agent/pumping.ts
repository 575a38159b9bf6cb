// A trace pump in a test: its spool in memory, its clock in our hands, its client real.

import type { JobOrder } from "../../src/core/trace.ts";
import type { Secret } from "../../src/core/secret.ts";
import type { GitLabClient } from "../../src/gitlab/client.ts";
import { startTracePump } from "../../src/agent/trace-pump.ts";
import type { TracePump } from "../../src/agent/trace-pump.ts";
import { jobToken, newClient } from "../gitlab/new-client.ts";
import { memorySpool } from "./memory-spool.ts";
import { steppedClock } from "./stepped-clock.ts";
import type { SteppedClock } from "./stepped-clock.ts";

export interface Pumping {
  readonly pump: TracePump;
  readonly clock: SteppedClock;
  readonly orders: readonly JobOrder[];
  /** What the job prints. */
  print(text: string | Uint8Array): void;
  /** All of it so far. */
  written(): Buffer;
}

export interface PumpingOptions {
  readonly url: string;
  readonly client?: GitLabClient;
  readonly jobId?: number;
  readonly token?: Secret;
  readonly debugTrace?: boolean;
  readonly finalAttempts?: number;
}

export function pumping(options: PumpingOptions): Pumping {
  const clock = steppedClock();
  const spool = memorySpool();
  const orders: JobOrder[] = [];
  const pump = startTracePump({
    gitlab: options.client ?? newClient({ url: options.url }).client,
    jobId: options.jobId ?? 42,
    token: options.token ?? jobToken,
    spool,
    debugTrace: options.debugTrace ?? false,
    finalAttempts: options.finalAttempts ?? 10,
    onOrder: (order) => orders.push(order),
    now: clock.now,
    sleep: clock.sleep,
  });
  return {
    pump,
    clock,
    orders,
    print: (text) => spool.append(Buffer.from(text), true),
    written: () => Buffer.from(spool.read(0, spool.size)),
  };
}
