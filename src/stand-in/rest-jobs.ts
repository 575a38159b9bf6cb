// The jobs of a project: lists, logs, artifacts, and what a person may do to them.

import { createReadStream } from "node:fs";
import { artifactReply } from "./artifact-api.ts";
import { cancel, latestJobs, play, retry } from "./engine.ts";
import type { Exchange } from "./http/exchange.ts";
import { readParams } from "./http/exchange.ts";
import { flagParam, valueOf } from "./http/param.ts";
import type { Reply } from "./http/reply.ts";
import { invalid, json, refuse } from "./http/reply.ts";
import type { Route } from "./http/router.ts";
import type { Job } from "./model.ts";
import { page } from "./pagination.ts";
import type { RestContext } from "./rest-lookup.ts";
import { forJob, forPipeline, forProject, notFound, restRoute } from "./rest-lookup.ts";
import { jobShape } from "./rest-shapes.ts";

const scopes: ReadonlySet<string> = new Set([
  "created",
  "waiting_for_resource",
  "preparing",
  "pending",
  "running",
  "success",
  "failed",
  "canceling",
  "canceled",
  "skipped",
  "manual",
  "scheduled",
]);

export function jobRestRoutes(context: RestContext): Route[] {
  const project = "/projects/:project";
  return [
    restRoute(
      context,
      "GET",
      `${project}/pipelines/:pipeline/jobs`,
      forPipeline(context, (pipeline, exchange) => {
        const all = exchange.query.get("include_retried") === "true";
        return list(context, all ? pipeline.jobs : latestJobs(pipeline), exchange);
      }),
    ),
    restRoute(
      context,
      "GET",
      `${project}/jobs`,
      forProject(context, (owner, exchange) => {
        const jobs = [...context.world.jobs.values()];
        const own = jobs.filter((job) => job.pipeline.project === owner);
        return list(context, own, exchange);
      }),
    ),
    restRoute(
      context,
      "GET",
      `${project}/jobs/:job`,
      forJob(context, (job) => json(200, show(context, job))),
    ),
    restRoute(context, "GET", `${project}/jobs/:job/trace`, forJob(context, traceReply)),
    restRoute(
      context,
      "GET",
      `${project}/jobs/:job/artifacts`,
      forJob(context, (job) => {
        const archive = job.artifacts.get("archive");
        const alive = (archive?.expireAt ?? Infinity) > context.world.now();
        return archive !== undefined && alive ? artifactReply(archive) : notFound();
      }),
    ),
    ...actionRoutes(context, `${project}/jobs/:job`),
  ];
}

function actionRoutes(context: RestContext, job: string): Route[] {
  const { world } = context;
  return [
    restRoute(
      context,
      "POST",
      `${job}/cancel`,
      forJob(context, async (target, exchange) => {
        const read = await readParams(exchange);
        if (read.kind === "refused") return read.reply;
        const force = flagParam(read.params, "force");
        if (force.kind === "invalid") return invalid(400, "force is invalid");
        cancel(world, target, { force: valueOf(force) ?? false });
        return json(201, show(context, target));
      }),
    ),
    restRoute(
      context,
      "POST",
      `${job}/retry`,
      forJob(context, (target) => {
        const retried = retry(world, target);
        return retried.kind === "retried"
          ? json(201, show(context, retried.job))
          : refuse(403, retried.reason);
      }),
    ),
    restRoute(
      context,
      "POST",
      `${job}/play`,
      forJob(context, (target) => {
        const played = play(world, target);
        return played.kind === "played"
          ? json(200, show(context, played.job))
          : refuse(400, played.reason);
      }),
    ),
  ];
}

function show({ world, site }: RestContext, job: Job) {
  return jobShape(site, job, { runner: world.runnerOf(job), now: world.now() });
}

function list(context: RestContext, jobs: readonly Job[], exchange: Exchange): Reply {
  const wanted = [...exchange.query.getAll("scope"), ...exchange.query.getAll("scope[]")];
  if (wanted.some((scope) => !scopes.has(scope))) {
    return invalid(400, "scope does not have a valid value");
  }
  const chosen = jobs.filter((job) => wanted.length === 0 || wanted.includes(job.status));
  const newestFirst = chosen.toSorted((a, b) => b.id - a.id);
  return page(
    context.site,
    exchange,
    newestFirst.map((job) => show(context, job)),
  );
}

function traceReply(job: Job): Reply {
  return {
    status: 200,
    headers: {
      "content-type": "text/plain",
      "content-disposition": `infile; filename="${String(job.id)}.log"`,
      "content-length": job.trace.size,
    },
    body: job.trace.size === 0 ? "" : createReadStream(job.trace.path, { end: job.trace.size - 1 }),
  };
}
