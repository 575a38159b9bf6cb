// Brings one claim forward: by its name, invoked asynchronously by the poller (a new claim, or one whose time to wait is
// over) and by the sweeper. Lambda may deliver an event twice, and tries again what threw.

import { launcherEventSchema } from "../src/core/function-environment.ts";
import { advanceClaim } from "../src/flow/advance.ts";
import { createAdvanceDeps } from "./advance-deps.ts";

const deps = createAdvanceDeps("launcher");

export async function handler(event: unknown): Promise<void> {
  const { claim } = launcherEventSchema.parse(event);
  try {
    await advanceClaim(deps, claim);
  } finally {
    deps.metrics.publish();
  }
}
