// `POST /jobs/:id/artifacts`: streams one artifact to GitLab. Every try makes the content anew, so
// nothing is held in memory. Runs above the HTTP-level retries: three tries, six while GitLab is
// unavailable (503); a 307 names the GitLab that takes uploads.

import { backoffMs, uploadBackoff } from "../core/retry.ts";
import type { Secret } from "../core/secret.ts";
import { GaveUp } from "./failure.ts";
import { fileForm } from "./multipart.ts";
import { redirectTarget } from "./redirect.ts";
import { refusalText, type Reply } from "./reply.ts";
import { type Session, statusSentence } from "./session.ts";
import type { NoReply } from "./transport.ts";
import { jobTokenHeader, replyHeader } from "./wire.ts";

export interface ArtifactUpload {
  readonly jobId: number;
  readonly token: Secret;
  /** Name of the file in GitLab, with its ending. */
  readonly filename: string;
  /** The file's bytes; called anew for every attempt. */
  readonly content: () => AsyncIterable<Uint8Array>;
  /** As in the job's payload; empty ones are not sent. */
  readonly expireIn?: string;
  readonly artifactFormat?: string;
  readonly artifactType?: string;
  /** Hears why another try follows. */
  readonly onRetry?: (message: string) => void;
  readonly signal?: AbortSignal;
}

export type UploadReply =
  | { readonly kind: "uploaded" }
  /** The job is over, or its token is not valid. */
  | { readonly kind: "forbidden"; readonly message: string }
  | { readonly kind: "tooLarge"; readonly message: string }
  /** `content` failed: the fault is on this side. */
  | { readonly kind: "unreadable"; readonly message: string; readonly cause: unknown }
  /** Every try failed; the message is the last one's. */
  | {
      readonly kind: "failed";
      readonly status: number | undefined;
      readonly message: string;
      readonly cause: unknown;
    };

const defaultTries = 3;
const triesWhileUnavailable = 6;

type Failed = Extract<UploadReply, { kind: "failed" }>;
type Attempt =
  | { readonly kind: "final"; readonly reply: UploadReply }
  | { readonly kind: "moved"; readonly api: URL; readonly failed: Failed }
  | { readonly kind: "again"; readonly failed: Failed };

export async function uploadArtifact(
  session: Session,
  upload: ArtifactUpload,
): Promise<UploadReply> {
  let api = session.api;
  for (let tried = 1; ; tried++) {
    const attempt = await tryUpload(session, upload, api);
    if (attempt.kind === "final") return attempt.reply;
    const { failed } = attempt;
    const limit = failed.status === 503 ? triesWhileUnavailable : defaultTries;
    if (tried >= limit || upload.signal?.aborted === true) return failed;
    if (attempt.kind === "moved") {
      api = attempt.api;
    } else {
      upload.onRetry?.(failed.message);
      await session.sleep(backoffMs(uploadBackoff, tried, 0), upload.signal);
    }
  }
}

async function tryUpload(session: Session, upload: ArtifactUpload, api: URL): Promise<Attempt> {
  const { token } = upload;
  let broken: { readonly cause: unknown } | undefined;
  const form = fileForm(upload.filename, async function* () {
    try {
      yield* upload.content();
    } catch (cause) {
      broken = { cause };
      throw cause;
    }
  });
  const exchange = await session.transport.exchange({
    method: "POST",
    url: uploadUrl(api, upload),
    headers: { [jobTokenHeader]: token.reveal(), "Content-Type": form.contentType },
    body: form.body,
    signal: upload.signal,
    secrets: [token],
  });
  if (exchange.kind === "reply") return readUploadReply(exchange.reply, api);
  return broken === undefined ? withoutReply(exchange) : withoutContent(broken.cause);
}

function uploadUrl(api: URL, upload: ArtifactUpload): URL {
  const url = new URL(`jobs/${upload.jobId}/artifacts`, api);
  const query = {
    expire_in: upload.expireIn,
    artifact_format: upload.artifactFormat,
    artifact_type: upload.artifactType,
  };
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") url.searchParams.set(name, value);
  }
  return url;
}

function readUploadReply(reply: Reply, api: URL): Attempt {
  switch (reply.status) {
    case 201:
      return { kind: "final", reply: { kind: "uploaded" } };
    case 403:
      return { kind: "final", reply: { kind: "forbidden", message: refusalText(reply) } };
    case 413:
      return { kind: "final", reply: { kind: "tooLarge", message: refusalText(reply) } };
    case 307:
      return readRedirect(reply, api);
    default:
      return { kind: "again", failed: failure(reply.status, statusSentence(reply)) };
  }
}

/** Here the token does go to the other host: it is the GitLab to which this one sends uploads. */
function readRedirect(reply: Reply, api: URL): Attempt {
  const target = redirectTarget(reply.header(replyHeader.location), api);
  if (target === undefined) {
    const message = "GitLab sends the upload elsewhere (HTTP 307) and does not say where";
    return { kind: "again", failed: failure(reply.status, message) };
  }
  if (api.protocol === "https:" && target.protocol === "http:") {
    const message = `GitLab sends the upload to ${target.host} without TLS (HTTP 307): the job's token does not go there`;
    return { kind: "final", reply: failure(reply.status, message) };
  }
  return {
    kind: "moved",
    api: new URL(api.pathname, target.origin),
    failed: failure(reply.status, `GitLab sends the upload on to ${target.host} again and again`),
  };
}

function withoutReply(nothing: NoReply): Attempt {
  const failed = failure(undefined, nothing.message, nothing.cause);
  const isOurs = nothing.cause instanceof GaveUp && nothing.cause.code !== "BURST_TOTAL_TIMEOUT";
  return isOurs ? { kind: "final", reply: failed } : { kind: "again", failed };
}

function withoutContent(cause: unknown): Attempt {
  const message = cause instanceof Error ? cause.message : String(cause);
  return { kind: "final", reply: { kind: "unreadable", message, cause } };
}

function failure(status: number | undefined, message: string, cause?: unknown): Failed {
  return { kind: "failed", status, message, cause };
}
