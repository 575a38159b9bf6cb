// `PATCH /jobs/:id/trace`: appends to a job's log, and only at its end.

import type { Exchange } from "./http/exchange.ts";
import { mimeType, readBody, unsupported } from "./http/exchange.ts";
import type { Reply } from "./http/reply.ts";
import { invalid, json, refuse } from "./http/reply.ts";
import { drop } from "./engine.ts";
import { executingJob } from "./job-access.ts";
import type { Job } from "./model.ts";
import type { World } from "./world.ts";

const bodyLimitBytes = 64 * 1024 * 1024;

export async function patchTrace(world: World, exchange: Exchange): Promise<Reply> {
  const contentType = exchange.headers["content-type"];
  if (mimeType(contentType) !== "text/plain") return unsupported(contentType);
  const params = Object.fromEntries(exchange.query);
  const access = executingJob(world, exchange, params);
  if (access.kind === "refused") return access.reply;
  const range = exchange.headers["content-range"];
  if (range === undefined) return invalid(400, "400 Missing header Content-Range");
  const read = await readBody(exchange, bodyLimitBytes);
  if (read.kind === "refused") return read.reply;
  // The job may have ended while the body was on its way.
  const still = executingJob(world, exchange, params);
  if (still.kind === "refused") return still.reply;
  return append(world, access.job, {
    start: Number.parseInt(range, 10) || 0,
    debug: params["debug_trace"] === "true",
    bytes: read.bytes,
  });
}

interface Addition {
  /** All that counts of Content-Range. */
  readonly start: number;
  readonly debug: boolean;
  readonly bytes: Buffer;
}

function append(world: World, job: Job, addition: Addition): Reply {
  const { start, bytes } = addition;
  if (start === 0 && addition.debug) job.debugTrace = true;
  if (start + bytes.length > world.options.traceLimitBytes) {
    drop(world, job, "trace_size_exceeded");
    return refuse(403, "", { "job-status": job.status });
  }
  job.touchedAt = world.now();
  if (job.trace.size === start) {
    job.trace.append(bytes);
    if (bytes.length > 0) world.emit({ kind: "trace", job, bytes });
  }
  const range = `0-${String(job.trace.size)}`;
  // A repetition of what is already at the end adds nothing and counts as done, as in GitLab.
  if (job.trace.size !== start + bytes.length) {
    return invalidRange(range);
  }
  return json(202, null, {
    "job-status": job.status,
    range,
    "x-gitlab-trace-update-interval": job.watched ? "3" : "60",
  });
}

function invalidRange(range: string): Reply {
  const reply = invalid(416, "416 Range Not Satisfiable");
  return { ...reply, headers: { ...reply.headers, range } };
}
