// `GET /jobs/:id/artifacts`: streams another job's archive to the caller. The first try lets GitLab
// redirect to its object storage; two more ask GitLab to send it itself. A redirect is followed
// without the job's token unless it stays on GitLab's host.

import type { Secret } from "../core/secret.ts";
import { redact } from "./redact.ts";
import { isSameHost, redirectTarget } from "./redirect.ts";
import { refusalText, type Reply } from "./reply.ts";
import { type Session, statusSentence } from "./session.ts";
import type { OpenReply } from "./transport.ts";
import { jobTokenHeader, replyHeader } from "./wire.ts";

export interface ArtifactDownload {
  readonly jobId: number;
  /** The dependency's token. */
  readonly token: Secret;
  /**
   * Takes the bytes of one try. Begins anew when called again: what an earlier call received was
   * incomplete. What it throws of itself comes out of `downloadArtifact`.
   */
  readonly receive: (body: AsyncIterable<Uint8Array>) => Promise<void>;
  /** Whether the first try asks for a redirect to the storage. */
  readonly directDownload?: boolean;
  /** Hears why another try follows. */
  readonly onRetry?: (message: string) => void;
  readonly signal?: AbortSignal;
}

export type DownloadReply =
  | { readonly kind: "downloaded"; readonly host: string }
  | { readonly kind: "unauthorized"; readonly message: string }
  | { readonly kind: "forbidden"; readonly message: string }
  /** No artifacts there: never made, expired, or erased. */
  | { readonly kind: "notFound"; readonly message: string }
  | {
      readonly kind: "failed";
      readonly status: number | undefined;
      readonly message: string;
      readonly cause: unknown;
    };

const tries = 3;
const redirectLimit = 10;

export async function downloadArtifact(
  session: Session,
  download: ArtifactDownload,
): Promise<DownloadReply> {
  for (let tried = 1; ; tried++) {
    const direct = tried === 1 && (download.directDownload ?? true);
    const reply = await tryDownload(session, download, direct);
    if (reply.kind !== "failed" || tried >= tries || download.signal?.aborted === true)
      return reply;
    download.onRetry?.(reply.message);
    await session.sleep(1000, download.signal);
  }
}

async function tryDownload(
  session: Session,
  download: ArtifactDownload,
  direct: boolean,
): Promise<DownloadReply> {
  let url = new URL(`jobs/${download.jobId}/artifacts`, session.api);
  if (direct) url.searchParams.set("direct_download", "true");
  let mayCarryToken = true;
  for (let hop = 0; hop <= redirectLimit; hop++) {
    const opened = await session.transport.open({
      method: "GET",
      url,
      headers: mayCarryToken ? { [jobTokenHeader]: download.token.reveal() } : {},
      signal: download.signal,
      secrets: [download.token],
    });
    if (opened.kind === "noReply") return failed(undefined, opened.message, opened.cause);
    if (!isRedirect(opened.status)) return readDownload(opened, url, download);
    await opened.drop();
    const target = redirectTarget(opened.header(replyHeader.location), url);
    if (target === undefined) {
      return failed(
        opened.status,
        `${url.host} redirects (HTTP ${opened.status}) to nowhere usable`,
      );
    }
    mayCarryToken &&= isSameHost(session.api, target);
    url = target;
  }
  return failed(undefined, `The download was redirected more than ${redirectLimit} times`);
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

async function readDownload(
  opened: OpenReply,
  url: URL,
  download: ArtifactDownload,
): Promise<DownloadReply> {
  if (opened.status === 200) return await receiveBody(opened, url, download);
  const reply = await readRefusal(opened, download.token);
  const message = refusalText(reply);
  switch (opened.status) {
    case 401:
      return { kind: "unauthorized", message };
    case 403:
      return { kind: "forbidden", message };
    case 404:
      return { kind: "notFound", message };
    default:
      return failed(opened.status, statusSentence(reply));
  }
}

async function receiveBody(
  opened: OpenReply,
  url: URL,
  download: ArtifactDownload,
): Promise<DownloadReply> {
  let broken: { readonly cause: unknown } | undefined;
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of opened.body) {
        const bytes: unknown = chunk;
        if (bytes instanceof Uint8Array) yield bytes;
      }
    } catch (cause) {
      broken = { cause };
      throw cause;
    }
  }
  try {
    await download.receive(watched());
  } catch (error) {
    if (broken === undefined) throw error;
  } finally {
    opened.abandon();
  }
  if (broken === undefined) return { kind: "downloaded", host: url.host };
  return failed(undefined, opened.explain(broken.cause), broken.cause);
}

const refusalLimitBytes = 64 * 1024;

/** The beginning of a refusal's body is all that its message needs. */
async function readRefusal(opened: OpenReply, token: Secret): Promise<Reply> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of opened.body) {
      const bytes: unknown = chunk;
      if (!(bytes instanceof Uint8Array)) continue;
      chunks.push(bytes);
      size += bytes.length;
      if (size >= refusalLimitBytes) break;
    }
  } catch {
    // The status decides; the text only explains it.
  }
  const { status, header, correlationId } = opened;
  const text = redact(Buffer.concat(chunks).toString("utf8"), [token]);
  return { status, header, correlationId, text };
}

function failed(status: number | undefined, message: string, cause?: unknown): DownloadReply {
  return { kind: "failed", status, message, cause };
}
