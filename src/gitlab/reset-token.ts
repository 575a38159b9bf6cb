// A new authentication token for a runner. The old one ends with it.

import type { Secret } from "../core/secret.ts";
import { decodeJson, type Unavailable } from "./reply.ts";
import {
  type JsonCall,
  noAnswer,
  type Rejected,
  rejection,
  requireToken,
  sendJson,
  type Session,
  unusable,
} from "./session.ts";
import { accessTokenHeader, resetTokenSchema } from "./wire.ts";

export type ResetTokenReply =
  | {
      readonly kind: "reset";
      readonly token: Secret;
      readonly tokenExpiresAt: string | undefined;
    }
  | Rejected
  | Unavailable;

/** A new token in exchange for the current one, which ends. */
export async function resetToken(session: Session): Promise<ResetTokenReply> {
  const token = requireToken(session);
  return await reset(session, {
    method: "POST",
    path: "runners/reset_authentication_token",
    body: { token: token.reveal() },
    secrets: [token],
    expectsJson: true,
  });
}

/** The same by a person's access token. */
export async function resetTokenOf(
  session: Session,
  runnerId: number,
  accessToken: Secret,
): Promise<ResetTokenReply> {
  return await reset(session, {
    method: "POST",
    path: `runners/${runnerId}/reset_authentication_token`,
    tokens: { [accessTokenHeader]: accessToken },
    secrets: [accessToken],
    expectsJson: true,
  });
}

async function reset(session: Session, call: JsonCall): Promise<ResetTokenReply> {
  const exchange = await sendJson(session, call);
  if (exchange.kind === "noReply") return noAnswer(exchange);
  const { reply } = exchange;
  if (reply.status !== 201) return rejection(reply);
  const renewed = decodeJson(reply, resetTokenSchema);
  if (renewed.kind === "unreadable") return unusable(reply, renewed.message);
  const { token, token_expires_at: tokenExpiresAt } = renewed.value;
  return { kind: "reset", token, tokenExpiresAt };
}
