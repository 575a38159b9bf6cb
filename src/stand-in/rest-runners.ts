// `/user/runners` and `/runners` as administrators call them.

import type { Exchange } from "./http/exchange.ts";
import { readParams } from "./http/exchange.ts";
import { textParam, valueOf } from "./http/param.ts";
import type { Reply } from "./http/reply.ts";
import { invalid, json, noContent } from "./http/reply.ts";
import type { Route } from "./http/router.ts";
import { page } from "./pagination.ts";
import type { RestContext } from "./rest-lookup.ts";
import { forRunner, restRoute } from "./rest-lookup.ts";
import { credentialsOf } from "./runner-api.ts";
import { runnerDetails, runnerShape } from "./runner-shapes.ts";
import { runnerSettings } from "./runner-settings.ts";
import type { Runner } from "./runners.ts";
import type { World } from "./world.ts";

export function runnerRestRoutes(context: RestContext): Route[] {
  const { world, site } = context;
  const one = "/runners/:runner";
  return [
    restRoute(context, "POST", "/user/runners", (exchange) => create(world, exchange)),
    restRoute(context, "GET", "/runners", (exchange) => {
      const shapes = world.runners.all().map((runner) => runnerShape(runner, world.now()));
      return page(site, exchange, shapes);
    }),
    restRoute(
      context,
      "GET",
      one,
      forRunner(context, (runner) => json(200, runnerDetails(runner, world.now()))),
    ),
    restRoute(
      context,
      "PUT",
      one,
      forRunner(context, (runner, exchange) => change(world, runner, exchange)),
    ),
    restRoute(
      context,
      "DELETE",
      one,
      forRunner(context, (runner) => {
        world.runners.remove(runner.id);
        return noContent();
      }),
    ),
    restRoute(
      context,
      "POST",
      `${one}/reset_authentication_token`,
      forRunner(context, (runner) => {
        world.runners.resetToken(runner);
        const { id: _, ...credentials } = credentialsOf(runner);
        return json(201, credentials);
      }),
    ),
  ];
}

async function create(world: World, exchange: Exchange): Promise<Reply> {
  const read = await readParams(exchange);
  if (read.kind === "refused") return read.reply;
  const { params } = read;
  const settings = runnerSettings(params);
  if (settings.kind === "invalid") return settings.reply;
  const type = valueOf(textParam(params, "runner_type"));
  switch (type) {
    case undefined:
      return invalid(400, "runner_type is missing");
    case "instance_type":
      return json(201, credentialsOf(world.runners.create({ ...settings.settings, type })));
    case "project_type": {
      const project = world.project(valueOf(textParam(params, "project_id")) ?? "");
      if (project === undefined) return invalid(400, "project_id is invalid");
      const own = { ...settings.settings, type, projectId: project.id } as const;
      return json(201, credentialsOf(world.runners.create(own)));
    }
    case "group_type":
      return invalid(400, "runner_type group_type: the stand-in has no groups");
    default:
      return invalid(400, "runner_type does not have a valid value");
  }
}

async function change(world: World, runner: Runner, exchange: Exchange): Promise<Reply> {
  const read = await readParams(exchange);
  if (read.kind === "refused") return read.reply;
  const settings = runnerSettings(read.params);
  if (settings.kind === "invalid") return settings.reply;
  world.runners.change(runner, settings.settings);
  return json(200, runnerDetails(runner, world.now()));
}
