// GitLab's own housekeeping, by the injected clock: jobs beyond their time are dropped, and jobs of
// which nothing is heard.

import { drop } from "./engine.ts";
import { executing } from "./model.ts";
import type { World } from "./world.ts";

const silenceLimitMilliseconds = 60 * 60 * 1000;
const timeoutGraceMilliseconds = 15 * 60 * 1000;

export function dropStale(world: World) {
  const now = world.now();
  for (const job of world.jobs.values()) {
    if (!executing(job.status)) continue;
    const state = job.status;
    const limit = job.timeoutSeconds * 1000 + timeoutGraceMilliseconds;
    if (now - (job.startedAt ?? now) >= limit) drop(world, job, `server_timeout_${state}`);
    else if (now - (job.touchedAt ?? now) >= silenceLimitMilliseconds) {
      drop(world, job, `no_updates_${state}`);
    }
  }
}
