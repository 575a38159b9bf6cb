// `PATCH /jobs/:id/trace`: appends bytes to the job's log at an offset that GitLab must agree with.

import type { Secret } from "../core/secret.ts";
import {
  isOver,
  jobNews,
  type JobNews,
  noNews,
  refusalText,
  type Reply,
  traceSize,
  type Unavailable,
} from "./reply.ts";
import { noAnswer, type Session, unusable } from "./session.ts";
import { jobTokenHeader, replyHeader } from "./wire.ts";

export interface TracePatch {
  readonly jobId: number;
  readonly token: Secret;
  /** At most 1 MiB of it is sent; `nextOffset` says where the rest begins. */
  readonly bytes: Uint8Array;
  /** The trace's length before these bytes. */
  readonly offset: number;
  /** Counts only in the patch at offset 0. */
  readonly debugTrace?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export type PatchReply = JobNews &
  (
    | { readonly kind: "accepted"; readonly nextOffset: number }
    /** GitLab has `size` bytes (undefined: it does not say): go on at `nextOffset`. */
    | {
        readonly kind: "rangeMismatch";
        readonly size: number | undefined;
        readonly nextOffset: number;
      }
    /** The job is over for GitLab: stop it at once. */
    | { readonly kind: "aborted"; readonly status: number; readonly message: string }
    | Unavailable
  );

const longestPatchBytes = 1024 * 1024;

export async function patchTrace(session: Session, patch: TracePatch): Promise<PatchReply> {
  const { jobId, token, offset } = patch;
  const bytes = patch.bytes.subarray(0, longestPatchBytes);
  const nextOffset = offset + bytes.length;
  if (bytes.length === 0) return { kind: "accepted", nextOffset, ...noNews };
  const url = new URL(`jobs/${jobId}/trace`, session.api);
  url.searchParams.set("debug_trace", String(patch.debugTrace ?? false));
  const exchange = await session.transport.exchange({
    method: "PATCH",
    url,
    headers: {
      [jobTokenHeader]: token.reveal(),
      "Content-Type": "text/plain",
      "Content-Range": `${offset}-${nextOffset - 1}`,
    },
    body: () => bytes,
    signal: patch.signal,
    secrets: [token],
  });
  if (exchange.kind === "noReply") return { ...noNews, ...noAnswer(exchange) };
  return readPatchReply(exchange.reply, nextOffset);
}

function readPatchReply(reply: Reply, nextOffset: number): PatchReply {
  const news = jobNews(reply);
  const { status } = reply;
  if (isOver(news.jobStatus)) {
    const message = `GitLab has ended the job: it is ${news.jobStatus}`;
    return { kind: "aborted", status, message, ...news };
  }
  switch (status) {
    case 202:
      return { kind: "accepted", nextOffset, ...news };
    case 403:
      return { kind: "aborted", status, message: refusalText(reply), ...news };
    case 416: {
      const size = traceSize(reply.header(replyHeader.range));
      return { kind: "rangeMismatch", size, nextOffset: size ?? 0, ...news };
    }
    default:
      return { ...news, ...unusable(reply) };
  }
}
