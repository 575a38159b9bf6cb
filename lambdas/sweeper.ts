// Every few minutes: what nobody else came by for.

import { sweep } from "../src/flow/sweep.ts";
import { createAdvanceDeps } from "./advance-deps.ts";

const deps = createAdvanceDeps("sweeper");

/** Kept for what is under way when the time is over. */
const reserveMs = 30_000;

interface Context {
  getRemainingTimeInMillis(): number;
}

export async function handler(_event: unknown, context: Context): Promise<void> {
  try {
    const report = await sweep(deps, deps.now() + context.getRemainingTimeInMillis() - reserveMs);
    deps.logger.info("swept", { ...report });
  } finally {
    deps.metrics.publish();
  }
}
