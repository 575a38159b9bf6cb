// What the REST handlers share: the token at the door, and the record that the path names.

import type { Exchange } from "./http/exchange.ts";
import type { Reply } from "./http/reply.ts";
import { json, refuse } from "./http/reply.ts";
import type { Handler, Route } from "./http/router.ts";
import type { Job, Pipeline, Project } from "./model.ts";
import type { Runner } from "./runners.ts";
import type { Site } from "./variables.ts";
import type { World } from "./world.ts";

export interface RestContext {
  readonly world: World;
  readonly site: Site;
  readonly apiToken: string;
}

type Act<T> = (record: T, exchange: Exchange) => Reply | Promise<Reply>;

/** A route below `/api/v4` that only the API token opens. */
export function restRoute(
  context: RestContext,
  method: string,
  path: string,
  handler: Handler,
): Route {
  return {
    method,
    pattern: `/api/v4${path}`,
    handler: (exchange) => {
      const bearer = /^Bearer (.+)$/.exec(exchange.headers.authorization ?? "")?.[1];
      const given = exchange.headers["private-token"] ?? bearer;
      return given === context.apiToken ? handler(exchange) : refuse(401);
    },
  };
}

export function forProject({ world }: RestContext, act: Act<Project>): Handler {
  return (exchange) => {
    const project = world.project(exchange.captured["project"] ?? "");
    return project === undefined ? notFound("Project") : act(project, exchange);
  };
}

export function forPipeline(context: RestContext, act: Act<Pipeline>): Handler {
  return forProject(context, (project, exchange) => {
    const pipeline = context.world.pipelines.get(Number(exchange.captured["pipeline"]));
    return pipeline?.project === project ? act(pipeline, exchange) : notFound();
  });
}

export function forJob(context: RestContext, act: Act<Job>): Handler {
  return forProject(context, (project, exchange) => {
    const job = context.world.jobs.get(Number(exchange.captured["job"]));
    return job?.pipeline.project === project ? act(job, exchange) : notFound();
  });
}

export function forRunner({ world }: RestContext, act: Act<Runner>): Handler {
  return (exchange) => {
    const runner = world.runners.byId(Number(exchange.captured["runner"]));
    return runner === undefined ? notFound("Runner") : act(runner, exchange);
  };
}

export function notFound(what = ""): Reply {
  return json(404, { message: what === "" ? "404 Not found" : `404 ${what} Not Found` });
}
