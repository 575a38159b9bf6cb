// `PUT /jobs/:id`: tells GitLab that the job is alive, or how it ended. What the reply says of the
// job (`Job-Status`) comes before its HTTP status.

import type { FailureReason } from "../core/failure-reason.ts";
import type { Secret } from "../core/secret.ts";
import {
  isBareStatus,
  isOver,
  jobNews,
  type JobNews,
  noNews,
  refusalText,
  type Reply,
  type Unavailable,
} from "./reply.ts";
import { noAnswer, sendJson, type Session, unusable } from "./session.ts";
import { jobTokenHeader } from "./wire.ts";

export interface JobUpdate {
  readonly jobId: number;
  readonly token: Secret;
  readonly state: "running" | "success" | "failed";
  readonly failureReason?: FailureReason | undefined;
  readonly exitCode?: number | undefined;
  /** `crc32:` and eight hex digits, over the bytes of the trace. */
  readonly checksum?: string | undefined;
  readonly bytesize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type UpdateReply = JobNews &
  (
    | { readonly kind: "ok" }
    /** GitLab is still storing the trace: send the same again. */
    | { readonly kind: "accepted"; readonly retryAfterSeconds: number }
    /** The job is over for GitLab; no call about it will be answered otherwise. */
    | { readonly kind: "refused"; readonly status: number; readonly message: string }
    /** GitLab's trace differs from checksum or size: send all of it again. */
    | { readonly kind: "mismatch" }
    /** The job is not in a state that allows this one. */
    | { readonly kind: "invalid"; readonly message: string }
    | { readonly kind: "conflict"; readonly message: string }
    | Unavailable
  );

export async function updateJob(session: Session, update: JobUpdate): Promise<UpdateReply> {
  const exchange = await sendJson(session, {
    method: "PUT",
    path: `jobs/${update.jobId}`,
    body: wireUpdate(session, update),
    tokens: { [jobTokenHeader]: update.token },
    secrets: [update.token],
    expectsJson: false,
    signal: update.signal,
  });
  if (exchange.kind === "noReply") return { ...noNews, ...noAnswer(exchange) };
  return readUpdateReply(exchange.reply, update.state);
}

function wireUpdate(session: Session, update: JobUpdate): unknown {
  const { checksum, bytesize, exitCode } = update;
  const failed = update.state === "failed";
  return {
    info: session.info,
    token: update.token.reveal(),
    state: update.state,
    ...(failed && update.failureReason !== undefined
      ? { failure_reason: update.failureReason }
      : {}),
    ...(checksum === undefined ? {} : { checksum }),
    output: {
      ...(checksum === undefined ? {} : { checksum }),
      ...(bytesize === undefined ? {} : { bytesize }),
    },
    ...(exitCode === undefined || exitCode === 0 ? {} : { exit_code: exitCode }),
  };
}

/** The rhythm of GitLab's final update, where a 202 does not name another one. */
const defaultRetrySeconds = 3;

function readUpdateReply(reply: Reply, state: JobUpdate["state"]): UpdateReply {
  const news = jobNews(reply);
  const { status } = reply;
  // A 200 to a final state has done what was asked: `failed` is then our own doing.
  const isDone = status === 200 && state !== "running";
  if (isOver(news.jobStatus) && !isDone) {
    const message = `GitLab has ended the job: it is ${news.jobStatus}`;
    return { kind: "refused", status, message, ...news };
  }
  if ((status === 200 || status === 202) && news.jobStatus === undefined && !isBareStatus(reply)) {
    return { ...news, ...unusable(reply, notGitLab(reply)) };
  }
  switch (status) {
    case 200:
      return { kind: "ok", ...news };
    case 202:
      return {
        kind: "accepted",
        retryAfterSeconds: news.intervalSeconds ?? defaultRetrySeconds,
        ...news,
      };
    case 400:
      return { kind: "invalid", message: refusalText(reply), ...news };
    case 403:
    case 404:
      return { kind: "refused", status, message: refusalText(reply), ...news };
    case 409:
      return { kind: "conflict", message: refusalText(reply), ...news };
    case 412:
      return { kind: "mismatch", ...news };
    default:
      return { ...news, ...unusable(reply) };
  }
}

/** A page before GitLab (a login, a proxy's own) answers everything with 200; it has stored nothing. */
function notGitLab({ status }: Reply): string {
  return `HTTP ${status} without Job-Status, with a text that is not GitLab's: see that the URL leads to GitLab itself and not to a page before it`;
}
