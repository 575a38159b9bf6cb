// `PUT /jobs/:id`: keep-alives and the final state, with the handshake that makes a runner wait
// until its log is safely stored.

import { drop, succeed } from "./engine.ts";
import type { Exchange, Params } from "./http/exchange.ts";
import { readParams } from "./http/exchange.ts";
import { nested, textParam, valueOf, wholeParam } from "./http/param.ts";
import type { Reply } from "./http/reply.ts";
import { bare, invalid } from "./http/reply.ts";
import { executingJob } from "./job-access.ts";
import type { Job } from "./model.ts";
import type { World } from "./world.ts";

/** After this long GitLab takes the state, stored or not. */
const acceptAnywaySeconds = 5 * 60;

export async function updateJob(world: World, exchange: Exchange): Promise<Reply> {
  const read = await readParams(exchange);
  if (read.kind === "refused") return read.reply;
  const { params } = read;
  if (textParam(params, "token").kind === "absent") return invalid(400, "token is missing");
  const access = executingJob(world, exchange, params);
  if (access.kind === "refused") return access.reply;
  const mistake = mistakeIn(params);
  if (mistake !== undefined) return invalid(400, mistake);
  const { job } = access;
  job.touchedAt = world.now();
  job.reported = reportedTrace(params);
  const backoff = params["state"] === "running" ? undefined : commitBackoff(world, job);
  if (backoff !== undefined) {
    return bare(202, "202", {
      "job-status": job.status,
      "x-gitlab-trace-update-interval": String(backoff),
    });
  }
  const status = apply(world, job, params);
  return bare(status, String(status), { "job-status": job.status });
}

function apply(world: World, job: Job, params: Params): 200 | 400 {
  switch (params["state"]) {
    case "running":
      return 200;
    case "success":
      succeed(world, job);
      return 200;
    case "failed":
      drop(
        world,
        job,
        valueOf(textParam(params, "failure_reason")),
        valueOf(wholeParam(params, "exit_code")),
      );
      return 200;
    default:
      return 400;
  }
}

/** What GitLab's parameter declarations refuse before they look at the state. */
function mistakeIn(params: Params): string | undefined {
  const { output } = params;
  if (output !== undefined && output !== null && typeof output !== "object") {
    return "output is invalid";
  }
  const given = {
    state: textParam(params, "state"),
    checksum: textParam(params, "checksum"),
    failure_reason: textParam(params, "failure_reason"),
    exit_code: wholeParam(params, "exit_code"),
    "output[checksum]": textParam(nested(params, "output"), "checksum"),
    "output[bytesize]": wholeParam(nested(params, "output"), "bytesize"),
  };
  const wrong = Object.entries(given).filter(([, param]) => param.kind === "invalid");
  return wrong.length === 0 ? undefined : wrong.map(([name]) => `${name} is invalid`).join(", ");
}

function reportedTrace(params: Params): Job["reported"] {
  const output = nested(params, "output");
  return {
    checksum: valueOf(textParam(output, "checksum")) ?? valueOf(textParam(params, "checksum")),
    bytesize: valueOf(wholeParam(output, "bytesize")),
  };
}

/** How long the runner shall wait while its log is still being stored; undefined: no longer. */
function commitBackoff(world: World, job: Job): number | undefined {
  if (job.reported.checksum === undefined || job.trace.size === 0) return undefined;
  const delay = world.options.traceCommitDelaySeconds;
  if (delay <= 0) return undefined;
  job.commitSince ??= world.now();
  const age = (world.now() - job.commitSince) / 1000;
  if (age >= delay || age > acceptAnywaySeconds) return undefined;
  const slot = age <= 1 ? 0 : Math.floor(Math.log2(age)) - 1;
  return 2 ** Math.min(Math.max(slot, 0), 6);
}
