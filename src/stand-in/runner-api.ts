// `/runners` as runners call it: register, verify, leave, change the token.

import type { Exchange, Params } from "./http/exchange.ts";
import { readParams } from "./http/exchange.ts";
import { nested, textParam, valueOf } from "./http/param.ts";
import type { Reply } from "./http/reply.ts";
import { invalid, json, noContent, refuse } from "./http/reply.ts";
import { runnerSettings } from "./runner-settings.ts";
import type { Runner } from "./runners.ts";
import type { World } from "./world.ts";

export type RunnerAccess =
  | { readonly kind: "runner"; readonly runner: Runner; readonly params: Params }
  | { readonly kind: "refused"; readonly reply: Reply };

/** Parameters, and the runner whose token is among them. */
export async function knownRunner(
  world: World,
  exchange: Exchange,
  limitBytes?: number,
): Promise<RunnerAccess> {
  const read = await readParams(exchange, limitBytes);
  if (read.kind === "refused") return read;
  const token = textParam(read.params, "token");
  if (token.kind === "absent") {
    return { kind: "refused", reply: invalid(400, "token is missing") };
  }
  if (token.kind === "invalid") {
    return { kind: "refused", reply: invalid(400, "token is invalid") };
  }
  const { info } = read.params;
  if (info !== undefined && info !== null && typeof info !== "object") {
    return { kind: "refused", reply: invalid(400, "info is invalid") };
  }
  const runner = world.runners.byToken(token.value);
  if (runner === undefined) return { kind: "refused", reply: refuse(403) };
  return { kind: "runner", runner, params: read.params };
}

/** What a runner says of itself, kept with the manager that says it. */
export function greet(world: World, runner: Runner, params: Params) {
  const info = params["info"] === undefined ? undefined : nested(params, "info");
  return world.runners.heartbeat(runner, valueOf(textParam(params, "system_id")), info);
}

/** Registration by a shared token: GitLab's old way, off unless the stand-in was given a token. */
export async function registerRunner(
  world: World,
  exchange: Exchange,
  registrationToken: string | undefined,
): Promise<Reply> {
  const read = await readParams(exchange);
  if (read.kind === "refused") return read.reply;
  const { params } = read;
  const token = textParam(params, "token");
  if (token.kind === "absent") return invalid(400, "token is missing");
  if (registrationToken === undefined) return refuse(410, "runner registration disallowed");
  if (valueOf(token) !== registrationToken) return refuse(403);
  const settings = runnerSettings(params);
  if (settings.kind === "invalid") return settings.reply;
  const runner = world.runners.createLegacy(settings.settings);
  greet(world, runner, params);
  return json(201, credentialsOf(runner));
}

export async function verifyRunner(world: World, exchange: Exchange): Promise<Reply> {
  const access = await knownRunner(world, exchange);
  if (access.kind === "refused") return access.reply;
  greet(world, access.runner, access.params);
  return json(200, credentialsOf(access.runner));
}

export async function unregisterRunner(world: World, exchange: Exchange): Promise<Reply> {
  const access = await knownRunner(world, exchange);
  if (access.kind === "refused") return access.reply;
  world.runners.remove(access.runner.id);
  return noContent();
}

export async function unregisterManager(world: World, exchange: Exchange): Promise<Reply> {
  const access = await knownRunner(world, exchange);
  if (access.kind === "refused") return access.reply;
  const systemId = valueOf(textParam(access.params, "system_id"));
  if (systemId === undefined) return invalid(400, "system_id is missing");
  return access.runner.managers.delete(systemId) ? noContent() : refuse(404);
}

export async function resetRunnerToken(world: World, exchange: Exchange): Promise<Reply> {
  const access = await knownRunner(world, exchange);
  if (access.kind === "refused") return access.reply;
  world.runners.resetToken(access.runner);
  const { token, tokenExpiresAt } = access.runner;
  return json(201, { token, token_expires_at: isoOrNull(tokenExpiresAt) });
}

export function credentialsOf(runner: Runner) {
  const { id, token, tokenExpiresAt } = runner;
  return { id, token, token_expires_at: isoOrNull(tokenExpiresAt) };
}

export function isoOrNull(milliseconds: number | undefined): string | null {
  return milliseconds === undefined ? null : new Date(milliseconds).toISOString();
}
