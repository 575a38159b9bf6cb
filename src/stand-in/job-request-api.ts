// `POST /jobs/request`: the queue value, the long poll in front of it, and a job if there is one.

import { claim } from "./claim.ts";
import type { Exchange } from "./http/exchange.ts";
import { nested } from "./http/param.ts";
import type { Reply } from "./http/reply.ts";
import { json, noContent, refuse } from "./http/reply.ts";
import type { RateLimiter, RateLimits } from "./rate-limit.ts";
import { greet, knownRunner } from "./runner-api.ts";
import type { Site } from "./variables.ts";
import type { World } from "./world.ts";

const bodyLimitBytes = 32 * 1024;

export interface JobRequestContext {
  readonly world: World;
  readonly site: Site;
  /** 0: requests are never held. */
  readonly longPollSeconds: number;
  readonly limiter: RateLimiter;
  readonly limits: RateLimits;
}

export async function requestJob(context: JobRequestContext, exchange: Exchange): Promise<Reply> {
  const reply = await answer(context, exchange);
  if (context.longPollSeconds === 0) return reply;
  return { ...reply, headers: { ...reply.headers, "gitlab-ci-builds-polling": "yes" } };
}

async function answer(context: JobRequestContext, exchange: Exchange): Promise<Reply> {
  const { world, site, longPollSeconds } = context;
  const access = await knownRunner(world, exchange, bodyLimitBytes);
  if (access.kind === "refused") return access.reply;
  const { runner, params } = access;
  const refusal = context.limiter.exceeded(
    `request ${runner.token}`,
    context.limits.jobRequestsPerMinute,
  );
  if (refusal !== undefined) return refusal;
  const lastUpdate = params["last_update"];
  const seen = typeof lastUpdate === "string" && lastUpdate !== "" ? lastUpdate : undefined;

  // In GitLab this is the proxy's doing: it holds the request back and answers it on its own.
  if (longPollSeconds > 0 && seen === runner.queueValue) {
    await world.runners.waitForChange(runner, longPollSeconds, exchange.gone);
    return noContent();
  }

  const manager = greet(world, runner, params);
  if (runner.settings.paused) return noContent({ "x-gitlab-last-update": runner.queueValue });
  if (seen === runner.queueValue) return noContent({ "x-gitlab-last-update": seen });
  const current = runner.queueValue;
  const features = nested(nested(params, "info"), "features");
  const claimed = claim(world, site, { runner, manager, features });
  switch (claimed.kind) {
    case "job":
      return json(201, claimed.payload);
    case "none":
      return noContent({ "x-gitlab-last-update": current });
    case "conflict":
      return refuse(409);
  }
}
