// `/projects` and the pipelines below them.

import { cancelPipeline } from "./engine.ts";
import type { Exchange } from "./http/exchange.ts";
import { readParams } from "./http/exchange.ts";
import { textParam } from "./http/param.ts";
import type { Reply } from "./http/reply.ts";
import { invalid, json } from "./http/reply.ts";
import type { Route } from "./http/router.ts";
import type { Project } from "./model.ts";
import { page } from "./pagination.ts";
import { runPipeline } from "./pipeline-run.ts";
import type { RestContext } from "./rest-lookup.ts";
import { forPipeline, forProject, restRoute } from "./rest-lookup.ts";
import { pipelineDetails, pipelineShape, projectShape } from "./rest-shapes.ts";

export function projectRestRoutes(context: RestContext): Route[] {
  const { world, site } = context;
  const one = "/projects/:project";
  return [
    restRoute(context, "GET", "/projects", (exchange) => {
      const newestFirst = [...world.projects.values()].toReversed();
      return page(
        site,
        exchange,
        newestFirst.map((project) => projectShape(site, project)),
      );
    }),
    restRoute(
      context,
      "GET",
      one,
      forProject(context, (project) => json(200, projectShape(site, project))),
    ),
    restRoute(
      context,
      "POST",
      `${one}/pipeline`,
      forProject(context, (project, exchange) => createPipeline(context, project, exchange)),
    ),
    restRoute(
      context,
      "GET",
      `${one}/pipelines`,
      forProject(context, (project, exchange) => {
        const own = [...world.pipelines.values()].filter((other) => other.project === project);
        const shapes = own.toReversed().map((pipeline) => pipelineShape(site, pipeline));
        return page(site, exchange, shapes);
      }),
    ),
    restRoute(
      context,
      "GET",
      `${one}/pipelines/:pipeline`,
      forPipeline(context, (pipeline) => json(200, pipelineDetails(site, pipeline))),
    ),
    restRoute(
      context,
      "POST",
      `${one}/pipelines/:pipeline/cancel`,
      forPipeline(context, (pipeline) => {
        cancelPipeline(world, pipeline);
        return json(200, pipelineDetails(site, pipeline));
      }),
    ),
  ];
}

async function createPipeline(
  context: RestContext,
  project: Project,
  exchange: Exchange,
): Promise<Reply> {
  const read = await readParams(exchange);
  if (read.kind === "refused") return read.reply;
  const ref = textParam(read.params, "ref");
  if (ref.kind === "absent") return invalid(400, "ref is missing");
  if (ref.kind === "invalid") return invalid(400, "ref is invalid");
  const variables = variablesOf(read.params["variables"]);
  if (variables === undefined) return invalid(400, "variables is invalid");
  const { world, site } = context;
  const run = await runPipeline(world, site, project, { ref: ref.value, variables });
  return run.kind === "pipeline"
    ? json(201, pipelineDetails(site, run.pipeline))
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
