// The poller's door: one tick of its schedule. Most ticks find that another one still polls, and end.

import { randomUUID } from "node:crypto";
import type { Context } from "aws-lambda";
import { createGitLabs } from "../src/flow/gitlabs.ts";
import { poll } from "../src/flow/poll.ts";
import { createDeps } from "./deps.ts";

const deps = createDeps("poller");
// What GitLab cannot answer now is asked again by the poller itself, in its own rhythm and not after its end.
const gitlabs = createGitLabs({ version: deps.version, longestRetryWaitSeconds: 0 });
const launcher = deps.environment.BURST_LAUNCHER;

export async function handler(_event: unknown, context: Context): Promise<void> {
  const polled = await poll(
    { ...deps, gitlabs, launcher },
    {
      // An event that Lambda delivers twice has one id both times, and only one of the two may poll.
      holder: `${context.awsRequestId}/${randomUUID()}`,
      killedAt: deps.now() + context.getRemainingTimeInMillis(),
    },
  );
  deps.logger.info("polled", polled.kind === "polled" ? { ...polled } : { kind: polled.kind });
}
