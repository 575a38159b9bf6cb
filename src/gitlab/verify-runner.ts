// `POST /runners/verify`: is this token a runner's, and which? The full `info` in it is what GitLab
// knows of this manager (above all, that it can cancel gracefully) before the first job.

import { decodeJson, mimeType, refusalText, type Unavailable } from "./reply.ts";
import {
  noAnswer,
  type Rejected,
  rejection,
  requireToken,
  sendJson,
  type Session,
  unusable,
} from "./session.ts";
import { replyHeader, runnerSchema, runnerTokenHeader } from "./wire.ts";

export type VerifyReply =
  | {
      readonly kind: "valid";
      /** Undefined where GitLab is too old to say. */
      readonly runnerId: number | undefined;
      readonly tokenExpiresAt: string | undefined;
    }
  /** The only reply that means that the token is no runner's. */
  | { readonly kind: "invalid"; readonly message: string }
  | Rejected
  | Unavailable;

export async function verifyRunner(session: Session): Promise<VerifyReply> {
  const token = requireToken(session);
  const exchange = await sendJson(session, {
    method: "POST",
    path: "runners/verify",
    body: { info: session.info, token: token.reveal(), system_id: session.systemId },
    tokens: { [runnerTokenHeader]: token },
    secrets: [token],
    expectsJson: true,
  });
  if (exchange.kind === "noReply") return noAnswer(exchange);
  const { reply } = exchange;
  if (reply.status === 403) return { kind: "invalid", message: refusalText(reply) };
  if (reply.status !== 200) return rejection(reply);
  const runner = decodeJson(reply, runnerSchema);
  if (runner.kind === "value") {
    const { id: runnerId, token_expires_at: tokenExpiresAt } = runner.value;
    return { kind: "valid", runnerId, tokenExpiresAt };
  }
  // Old GitLabs answer in plain text. Anything else is not GitLab: a login page, say.
  return mimeType(reply.header(replyHeader.contentType)) === "text/plain"
    ? { kind: "valid", runnerId: undefined, tokenExpiresAt: undefined }
    : unusable(reply, runner.message);
}
