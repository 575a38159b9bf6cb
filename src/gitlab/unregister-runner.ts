// A runner's end in GitLab: of all of it, or of this machine's manager.

import type { Secret } from "../core/secret.ts";
import type { Unavailable } from "./reply.ts";
import {
  noAnswer,
  type Rejected,
  rejection,
  requireToken,
  sendJson,
  type Session,
} from "./session.ts";
import { runnerTokenHeader } from "./wire.ts";

export type UnregisterReply = { readonly kind: "unregistered" } | Rejected | Unavailable;

/** A runner made in GitLab (`glrt-`) loses this one manager; a registered one is removed. */
export async function unregister(session: Session): Promise<UnregisterReply> {
  return requireToken(session).reveal().startsWith("glrt-")
    ? await unregisterManager(session)
    : await unregisterRunner(session);
}

export async function unregisterRunner(session: Session): Promise<UnregisterReply> {
  const token = requireToken(session);
  return await remove(session, "runners", { token: token.reveal() }, token);
}

export async function unregisterManager(session: Session): Promise<UnregisterReply> {
  const token = requireToken(session);
  const body = { token: token.reveal(), system_id: session.systemId };
  return await remove(session, "runners/managers", body, token);
}

async function remove(
  session: Session,
  path: string,
  body: unknown,
  token: Secret,
): Promise<UnregisterReply> {
  const exchange = await sendJson(session, {
    method: "DELETE",
    path,
    body,
    tokens: { [runnerTokenHeader]: token },
    secrets: [token],
    expectsJson: false,
  });
  if (exchange.kind === "noReply") return noAnswer(exchange);
  return exchange.reply.status === 204 ? { kind: "unregistered" } : rejection(exchange.reply);
}
