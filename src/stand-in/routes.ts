// Which path is answered by what: the runner API, the REST API, the switchboard for faults, git.

import { downloadArtifact, uploadArtifact } from "./artifact-api.ts";
import type { Faults } from "./faults.ts";
import { parseFault } from "./faults.ts";
import { gitPath, serveGit } from "./git-backend.ts";
import type { Exchange } from "./http/exchange.ts";
import { readParams } from "./http/exchange.ts";
import type { Reply } from "./http/reply.ts";
import { json, noContent, refuse } from "./http/reply.ts";
import type { Handler, Route } from "./http/router.ts";
import { route } from "./http/router.ts";
import { requestJob } from "./job-request-api.ts";
import { updateJob } from "./job-update-api.ts";
import type { RateLimiter, RateLimits } from "./rate-limit.ts";
import { jobRestRoutes } from "./rest-jobs.ts";
import { projectRestRoutes } from "./rest-projects.ts";
import { runnerRestRoutes } from "./rest-runners.ts";
import {
  registerRunner,
  resetRunnerToken,
  unregisterManager,
  unregisterRunner,
  verifyRunner,
} from "./runner-api.ts";
import type { Storage } from "./storage.ts";
import { patchTrace } from "./trace-api.ts";
import type { Site } from "./variables.ts";
import type { World } from "./world.ts";

export interface Switchboard {
  readonly world: World;
  readonly site: Site;
  readonly storage: Storage;
  readonly faults: Faults;
  readonly home: string;
  readonly apiToken: string;
  readonly registrationToken: string | undefined;
  readonly longPollSeconds: number;
  readonly limiter: RateLimiter;
  readonly limits: RateLimits;
}

export function dispatcher(board: Switchboard): (exchange: Exchange) => Promise<Reply> {
  const routes = [
    ...runnerRoutes(board),
    ...faultRoutes(board.faults),
    ...runnerRestRoutes(board),
    ...projectRestRoutes(board),
    ...jobRestRoutes(board),
  ];
  return async (exchange) => {
    if (gitPath(exchange.path) !== undefined) {
      return serveGit(board, exchange);
    }
    const routed = route(routes, exchange.method, exchange.path);
    if (routed.kind === "none") return routed.reply;
    return routed.handler({ ...exchange, captured: routed.captured });
  };
}

function runnerRoutes(board: Switchboard): Route[] {
  const { world, storage, limiter, limits } = board;
  const runners = "/api/v4/runners";
  const jobs = "/api/v4/jobs";

  /** Counts per job, and refuses above the limit. */
  function limited(kind: string, perMinute: number, handler: Handler): Handler {
    return (exchange) => {
      const key = `${kind} ${exchange.captured["id"] ?? ""}`;
      return limiter.exceeded(key, perMinute) ?? handler(exchange);
    };
  }

  const patch: Handler = (exchange) => patchTrace(world, exchange);
  const put: Handler = (exchange) => updateJob(world, exchange);
  const upload: Handler = (exchange) => uploadArtifact(world, exchange);
  const download: Handler = (exchange) => downloadArtifact(world, storage, exchange);
  return [
    {
      method: "POST",
      pattern: runners,
      handler: (x) => registerRunner(world, x, board.registrationToken),
    },
    { method: "DELETE", pattern: runners, handler: (x) => unregisterRunner(world, x) },
    { method: "POST", pattern: `${runners}/verify`, handler: (x) => verifyRunner(world, x) },
    {
      method: "DELETE",
      pattern: `${runners}/managers`,
      handler: (x) => unregisterManager(world, x),
    },
    {
      method: "POST",
      pattern: `${runners}/reset_authentication_token`,
      handler: (x) => resetRunnerToken(world, x),
    },
    { method: "GET", pattern: `${runners}/router/discovery`, handler: (x) => noRouter(world, x) },
    { method: "POST", pattern: `${jobs}/request`, handler: (x) => requestJob(board, x) },
    {
      method: "PUT",
      pattern: `${jobs}/:id`,
      handler: limited("job", limits.jobCallsPerMinute, put),
    },
    {
      method: "PATCH",
      pattern: `${jobs}/:id/trace`,
      handler: limited("trace", limits.tracesPerMinute, patch),
    },
    {
      method: "POST",
      pattern: `${jobs}/:id/artifacts`,
      handler: limited("job", limits.jobCallsPerMinute, upload),
    },
    {
      method: "GET",
      pattern: `${jobs}/:id/artifacts`,
      handler: limited("job", limits.jobCallsPerMinute, download),
    },
  ];
}

/** GitLab without a job router; a runner then polls as ever. */
function noRouter(world: World, exchange: Exchange): Reply {
  const token = exchange.headers["runner-token"];
  const known = typeof token === "string" && world.runners.byToken(token) !== undefined;
  return known ? refuse(501) : refuse(403);
}

/** For tests only, and so without a token. */
function faultRoutes(faults: Faults): Route[] {
  return [
    {
      method: "POST",
      pattern: "/-/faults",
      handler: async (exchange) => {
        const read = await readParams(exchange);
        if (read.kind === "refused") return read.reply;
        const parsed = parseFault(read.params);
        if (parsed.kind === "invalid") return json(400, { message: parsed.message });
        faults.add(parsed.fault);
        return json(201, { match: parsed.fault.match, times: parsed.fault.left });
      },
    },
    {
      method: "GET",
      pattern: "/-/faults",
      handler: () =>
        json(
          200,
          faults.all().map(({ match, left, effect }) => ({ match, times: left, effect })),
        ),
    },
    {
      method: "DELETE",
      pattern: "/-/faults",
      handler: () => {
        faults.clear();
        return noContent();
      },
    },
  ];
}
