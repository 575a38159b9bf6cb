// `POST /jobs/request`: asks for one job. With the last queue value in it GitLab may hold the request
// until something changes (long poll, up to 50 s).

import type { Secret } from "../core/secret.ts";
import { decodeJson, refusalText, type Reply, type Unavailable } from "./reply.ts";
import {
  noAnswer,
  type Rejected,
  rejection,
  requireToken,
  sendJson,
  type Session,
  unusable,
} from "./session.ts";
import { claimSchema, runnerTokenHeader } from "./wire.ts";

export interface JobRequest {
  /** Used instead of the queue value that the client remembers. */
  readonly lastUpdate?: string | undefined;
  /** False: sends no queue value, so that GitLab answers at once. */
  readonly longPoll?: boolean;
  /** An aborted request may have been a claim: abort only one that has long been silent. */
  readonly signal?: AbortSignal;
}

export type JobReply =
  | {
      readonly kind: "job";
      /** The body, word for word. Holds the job's secrets. */
      readonly raw: string;
      /** The same, parsed and not checked. */
      readonly payload: unknown;
      readonly jobId: number;
      readonly token: Secret;
      readonly lastUpdate: string | undefined;
      readonly correlationId: string;
    }
  | { readonly kind: "none"; readonly lastUpdate: string | undefined }
  /** Another runner was faster: ask again soon. */
  | { readonly kind: "conflict" }
  /** The token is not (or no longer) a runner's. The only reply that counts against its health. */
  | { readonly kind: "forbidden"; readonly message: string }
  /** The request itself is wrong; asking again will not help. */
  | Rejected
  | Unavailable;

export async function requestJob(session: Session, request: JobRequest = {}): Promise<JobReply> {
  const token = requireToken(session);
  const lastUpdate =
    request.longPoll === false ? undefined : (request.lastUpdate ?? session.lastUpdate);
  const exchange = await sendJson(session, {
    method: "POST",
    path: "jobs/request",
    body: {
      info: session.info,
      token: token.reveal(),
      system_id: session.systemId,
      ...(lastUpdate === undefined ? {} : { last_update: lastUpdate }),
    },
    tokens: { [runnerTokenHeader]: token },
    secrets: [token],
    expectsJson: true,
    signal: request.signal,
  });
  if (exchange.kind === "noReply") return noAnswer(exchange);
  return readJobReply(session, exchange.reply);
}

function readJobReply(session: Session, reply: Reply): JobReply {
  switch (reply.status) {
    case 201:
      return readClaim(session, reply);
    case 204:
      return { kind: "none", lastUpdate: session.lastUpdate };
    case 409:
      return { kind: "conflict" };
    case 403:
      return {
        kind: "forbidden",
        message: `GitLab does not accept the runner's token (${refusalText(reply)}): see whether the runner still exists there and take its token anew.`,
      };
    default:
      return rejection(reply);
  }
}

function readClaim(session: Session, reply: Reply): JobReply {
  const claim = decodeJson(reply, claimSchema);
  if (claim.kind === "unreadable") return unusable(reply, claim.message);
  const payload: unknown = JSON.parse(reply.text);
  return {
    kind: "job",
    raw: reply.text,
    payload,
    jobId: claim.value.id,
    token: claim.value.token,
    lastUpdate: session.lastUpdate,
    correlationId: reply.correlationId,
  };
}
