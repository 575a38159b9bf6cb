// Hears from ECS that a task of ours has stopped, and brings its claim forward. Events come twice, late, and in any
// order; one that never comes is the sweeper's.

import * as z from "zod";
import { taskOfEvent } from "../src/aws/tasks.ts";
import { parseClaimId } from "../src/core/claim.ts";
import { advanceClaim } from "../src/flow/advance.ts";
import { createAdvanceDeps } from "./advance-deps.ts";

const deps = createAdvanceDeps("reaper");

const eventSchema = z.object({ "detail-type": z.string(), detail: z.unknown() });

export async function handler(event: unknown): Promise<void> {
  const { "detail-type": type, detail } = eventSchema.parse(event);
  if (type !== "ECS Task State Change") return;
  const task = taskOfEvent(detail);
  if (task.lastStatus !== "STOPPED" || parseClaimId(task.startedBy) === undefined) return;
  try {
    await advanceClaim(deps, task.startedBy, task);
  } finally {
    deps.metrics.publish();
  }
}
