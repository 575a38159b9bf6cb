// The part of GitLab's REST API that people and scripts use: runners, projects, pipelines, jobs.

import { createReadStream } from "node:fs";
import { artifactReply } from "./artifact-api.ts";
import { cancel, cancelPipeline, latestJobs, play, retry } from "./engine.ts";
import type { Exchange } from "./http/exchange.ts";
import { readParams } from "./http/exchange.ts";
import type { Reply } from "./http/reply.ts";
import { invalid, json, noContent, refuse } from "./http/reply.ts";
import type { Handler, Route } from "./http/router.ts";
import type { Job, Pipeline, Project } from "./model.ts";
import { page } from "./pagination.ts";
import { runPipeline } from "./pipeline-run.ts";
import {
  jobShape,
  pipelineDetails,
  pipelineShape,
  projectShape,
  runnerDetails,
  runnerShape,
} from "./rest-shapes.ts";
import { credentialsOf } from "./runner-api.ts";
import { runnerSettings } from "./runner-settings.ts";
import type { Runner } from "./runners.ts";
import type { Site } from "./variables.ts";
import type { World } from "./world.ts";

export interface RestContext {
  readonly world: World;
  readonly site: Site;
  readonly apiToken: string;
}

const jobScopes = new Set([
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

export function restRoutes(context: RestContext): Route[] {
  const { world, site, apiToken } = context;

  function route(method: string, pattern: string, handler: Handler): Route {
    return {
      method,
      pattern: `/api/v4${pattern}`,
      handler: (exchange) => {
        const given = exchange.headers["private-token"];
        const bearer = /^Bearer (.+)$/.exec(exchange.headers.authorization ?? "")?.[1];
        if ((given ?? bearer) !== apiToken) return refuse(401, "");
        return handler(exchange);
      },
    };
  }

  function forProject(
    act: (project: Project, exchange: Exchange) => Reply | Promise<Reply>,
  ): Handler {
    return (exchange) => {
      const project = world.project(exchange.captured["project"] ?? "");
      return project === undefined ? notFound("Project") : act(project, exchange);
    };
  }

  function forPipeline(
    act: (pipeline: Pipeline, exchange: Exchange) => Reply | Promise<Reply>,
  ): Handler {
    return forProject((project, exchange) => {
      const pipeline = world.pipelines.get(Number(exchange.captured["pipeline"]));
      return pipeline?.project === project ? act(pipeline, exchange) : notFound();
    });
  }

  function forJob(act: (job: Job, exchange: Exchange) => Reply | Promise<Reply>): Handler {
    return forProject((project, exchange) => {
      const job = world.jobs.get(Number(exchange.captured["job"]));
      return job?.pipeline.project === project ? act(job, exchange) : notFound();
    });
  }

  function forRunner(act: (runner: Runner, exchange: Exchange) => Reply | Promise<Reply>): Handler {
    return (exchange) => {
      const runner = world.runners.byId(Number(exchange.captured["runner"]));
      return runner === undefined ? notFound("Runner") : act(runner, exchange);
    };
  }

  const show = (job: Job) => jobShape(site, job, { runner: world.runnerOf(job), now: world.now() });

  function listJobs(jobs: readonly Job[], exchange: Exchange): Reply {
    const scopes = exchange.query.getAll("scope").concat(exchange.query.getAll("scope[]"));
    if (scopes.some((scope) => !jobScopes.has(scope))) {
      return invalid(400, "scope does not have a valid value");
    }
    const wanted = jobs.filter((job) => scopes.length === 0 || scopes.includes(job.status));
    return page(site, exchange, wanted.toSorted((a, b) => b.id - a.id).map(show));
  }

  return [
    route("GET", "/version", () => json(200, { version: "19.1.0", revision: "00000000000" })),
    route("POST", "/user/runners", (exchange) => createRunner(world, exchange)),
    route("GET", "/runners", (exchange) =>
      page(
        site,
        exchange,
        world.runners.all().map((runner) => runnerShape(runner, world.now())),
      ),
    ),
    route(
      "GET",
      "/runners/:runner",
      forRunner((runner) => json(200, runnerDetails(runner, world.now()))),
    ),
    route(
      "PUT",
      "/runners/:runner",
      forRunner((runner, exchange) => changeRunner(world, runner, exchange)),
    ),
    route(
      "DELETE",
      "/runners/:runner",
      forRunner((runner) => {
        world.runners.remove(runner.id);
        return noContent();
      }),
    ),
    route(
      "POST",
      "/runners/:runner/reset_authentication_token",
      forRunner((runner) => {
        world.runners.resetToken(runner);
        const { token, token_expires_at } = credentialsOf(runner);
        return json(201, { token, token_expires_at });
      }),
    ),
    route("GET", "/projects", (exchange) =>
      page(
        site,
        exchange,
        [...world.projects.values()].toReversed().map((project) => projectShape(site, project)),
      ),
    ),
    route(
      "GET",
      "/projects/:project",
      forProject((project) => json(200, projectShape(site, project))),
    ),
    route(
      "POST",
      "/projects/:project/pipeline",
      forProject((project, exchange) => createPipeline(context, project, exchange)),
    ),
    route(
      "GET",
      "/projects/:project/pipelines",
      forProject((project, exchange) => {
        const own = [...world.pipelines.values()].filter((other) => other.project === project);
        return page(
          site,
          exchange,
          own.toReversed().map((pipeline) => pipelineShape(site, pipeline)),
        );
      }),
    ),
    route(
      "GET",
      "/projects/:project/pipelines/:pipeline",
      forPipeline((pipeline) => json(200, pipelineDetails(site, pipeline))),
    ),
    route(
      "POST",
      "/projects/:project/pipelines/:pipeline/cancel",
      forPipeline((pipeline) => {
        cancelPipeline(world, pipeline);
        return json(200, pipelineDetails(site, pipeline));
      }),
    ),
    route(
      "GET",
      "/projects/:project/pipelines/:pipeline/jobs",
      forPipeline((pipeline, exchange) =>
        listJobs(
          exchange.query.get("include_retried") === "true" ? pipeline.jobs : latestJobs(pipeline),
          exchange,
        ),
      ),
    ),
    route(
      "GET",
      "/projects/:project/jobs",
      forProject((project, exchange) =>
        listJobs(
          [...world.jobs.values()].filter((job) => job.pipeline.project === project),
          exchange,
        ),
      ),
    ),
    route(
      "GET",
      "/projects/:project/jobs/:job",
      forJob((job) => json(200, show(job))),
    ),
    route("GET", "/projects/:project/jobs/:job/trace", forJob(traceReply)),
    route(
      "GET",
      "/projects/:project/jobs/:job/artifacts",
      forJob((job) => {
        const archive = job.artifacts.get("archive");
        const gone = archive === undefined || (archive.expireAt ?? Infinity) <= world.now();
        return gone ? notFound() : artifactReply(archive);
      }),
    ),
    route(
      "POST",
      "/projects/:project/jobs/:job/cancel",
      forJob(async (job, exchange) => {
        const read = await readParams(exchange);
        if (read.kind === "refused") return read.reply;
        cancel(world, job, { force: String(read.params["force"]) === "true" });
        return json(201, show(job));
      }),
    ),
    route(
      "POST",
      "/projects/:project/jobs/:job/retry",
      forJob((job) => {
        const retried = retry(world, job);
        return retried.kind === "retried"
          ? json(201, show(retried.job))
          : refuse(403, retried.reason);
      }),
    ),
    route(
      "POST",
      "/projects/:project/jobs/:job/play",
      forJob((job) => {
        const played = play(world, job);
        return played.kind === "played" ? json(200, show(played.job)) : refuse(400, played.reason);
      }),
    ),
  ];
}

function notFound(what = ""): Reply {
  return json(404, { message: what === "" ? "404 Not found" : `404 ${what} Not Found` });
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

async function createRunner(world: World, exchange: Exchange): Promise<Reply> {
  const read = await readParams(exchange);
  if (read.kind === "refused") return read.reply;
  const { params } = read;
  const type = params["runner_type"];
  if (type === undefined || type === null || type === "") {
    return invalid(400, "runner_type is missing");
  }
  if (type === "group_type") {
    return invalid(400, "runner_type group_type: the stand-in has no groups");
  }
  if (type !== "instance_type" && type !== "project_type") {
    return invalid(400, "runner_type does not have a valid value");
  }
  const settings = runnerSettings(params);
  if (settings.kind === "invalid") return settings.reply;
  if (type === "instance_type") {
    return json(201, credentialsOf(world.runners.create({ ...settings.settings, type })));
  }
  const project = world.project(String(params["project_id"] ?? ""));
  if (project === undefined) return invalid(400, "project_id is invalid");
  const runner = world.runners.create({ ...settings.settings, type, projectId: project.id });
  return json(201, credentialsOf(runner));
}

async function changeRunner(world: World, runner: Runner, exchange: Exchange): Promise<Reply> {
  const read = await readParams(exchange);
  if (read.kind === "refused") return read.reply;
  const settings = runnerSettings(read.params);
  if (settings.kind === "invalid") return settings.reply;
  world.runners.change(runner, settings.settings);
  return json(200, runnerDetails(runner, world.now()));
}

async function createPipeline(
  context: RestContext,
  project: Project,
  exchange: Exchange,
): Promise<Reply> {
  const read = await readParams(exchange);
  if (read.kind === "refused") return read.reply;
  const { ref } = read.params;
  if (typeof ref !== "string" || ref === "") return invalid(400, "ref is missing");
  const variables = variablesOf(read.params["variables"]);
  if (variables === undefined) return invalid(400, "variables is invalid");
  const run = await runPipeline(context.world, context.site, project, { ref, variables });
  return run.kind === "pipeline"
    ? json(201, pipelineDetails(context.site, run.pipeline))
    : json(400, { message: { base: run.errors } });
}

/** `[{"key": "A", "value": "b"}]`. */
function variablesOf(value: unknown): Record<string, string> | undefined {
  if (value === undefined || value === null) return {};
  if (!Array.isArray(value)) return undefined;
  const variables: Record<string, string> = {};
  for (const item of value) {
    if (typeof item !== "object" || item === null) return undefined;
    const { key, value: content } = { key: undefined, value: undefined, ...item };
    if (typeof key !== "string" || typeof content !== "string") return undefined;
    variables[key] = content;
  }
  return variables;
}
