// One HTTP call to GitLab as the protocol wants it: request id, user agent, time limits, and the
// HTTP-level retries. Only an answer is ever retried here, never a failed connection: a request that
// got no answer may still have been carried out.

import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { request, type Dispatcher } from "undici";
import type { Secret } from "../core/secret.ts";
import type { Connections, Timeouts } from "./connections.ts";
import { startDeadline } from "./deadline.ts";
import { describeFailure } from "./failure.ts";
import { redact } from "./redact.ts";
import type { Reply } from "./reply.ts";
import { attemptLimit, isRetryable, retryWaitSeconds } from "./retry.ts";
import { replyHeader, requestIdHeader } from "./wire.ts";

export interface Call {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Called anew for every attempt. */
  readonly body?: () => string | Uint8Array | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
  /** What must not show in any message about this call. */
  readonly secrets: readonly Secret[];
}

export interface NoReply {
  readonly kind: "noReply";
  readonly message: string;
  readonly cause: unknown;
}

export type Exchange = { readonly kind: "reply"; readonly reply: Reply } | NoReply;

/** A reply whose body is still to be read: to its end, or until it is dropped or abandoned. */
export interface OpenReply {
  readonly kind: "open";
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly correlationId: string;
  readonly body: Readable;
  /** Reads the rest away where it is short, so that the connection can be used again. */
  readonly drop: () => Promise<void>;
  /** Ends the connection where something is left to read. */
  readonly abandon: () => void;
  /** One sentence for an error that came while the body was read. */
  readonly explain: (error: unknown) => string;
}

export interface TransportOptions {
  readonly connections: Connections;
  readonly timeouts: Timeouts;
  readonly userAgent: string;
  readonly closed: AbortSignal;
  /** Resolves early when the signal aborts. */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  readonly random: () => number;
  readonly now: () => number;
  /** An answer that asks for a longer wait is handed up instead of waited out. */
  readonly longestRetryWaitSeconds: number;
}

export interface Transport {
  /** Sends, and reads the reply as text. */
  readonly exchange: (call: Call) => Promise<Exchange>;
  /** Sends, and leaves a reply's body to the caller. */
  readonly open: (call: Call) => Promise<OpenReply | NoReply>;
}

const textLimitBytes = 64 * 1024 * 1024;
/** More of an unwanted body than this costs more to read than a new connection does. */
const dropLimitBytes = 128 * 1024;

export function createTransport(options: TransportOptions): Transport {
  const open = (call: Call) => openWithRetries(options, call);
  return {
    open,
    async exchange(call) {
      const opened = await open(call);
      if (opened.kind === "noReply") return opened;
      const { status, header, correlationId } = opened;
      try {
        const text = redactReply(await readText(opened.body), status, call.secrets);
        return { kind: "reply", reply: { status, header, text, correlationId } };
      } catch (cause) {
        return { kind: "noReply", message: opened.explain(cause), cause: withoutData(cause) };
      }
    },
  };
}

/** A refusal's text ends up in messages; a success's is data and stays as it is. */
function redactReply(text: string, status: number, secrets: readonly Secret[]): string {
  return status < 300 ? text : redact(text, secrets);
}

async function openWithRetries(
  options: TransportOptions,
  call: Call,
): Promise<OpenReply | NoReply> {
  const requestId = randomBytes(16).toString("hex");
  for (let attempts = 1; ; attempts++) {
    const opened = await openOnce(options, call, requestId);
    if (opened.kind === "noReply" || !isRetryable(opened.status)) return opened;
    if (attempts >= attemptLimit) return opened;
    const waitSeconds = retryWaitSeconds({
      rateLimitResetTime: opened.header(replyHeader.rateLimitResetTime),
      retryAfter: opened.header(replyHeader.retryAfter),
      attempts,
      nowMs: options.now(),
      chance: options.random(),
    });
    if (waitSeconds > options.longestRetryWaitSeconds) return opened;
    await opened.drop();
    await sleepUnlessOver(options, call, waitSeconds * 1000);
  }
}

async function sleepUnlessOver(
  options: TransportOptions,
  call: Call,
  milliseconds: number,
): Promise<void> {
  const over =
    call.signal === undefined ? options.closed : AbortSignal.any([options.closed, call.signal]);
  if (!over.aborted) await options.sleep(milliseconds, over);
}

async function openOnce(
  options: TransportOptions,
  call: Call,
  requestId: string,
): Promise<OpenReply | NoReply> {
  const { url } = call;
  const host = hostAndPort(url);
  let proxy: string | undefined;
  const explain = (error: unknown) => redact(describeFailure(error, { host, proxy }), call.secrets);
  const deadline = startDeadline({
    totalSeconds: options.timeouts.totalSeconds,
    closed: options.closed,
    caller: call.signal,
  });
  try {
    const route = options.connections.routeTo(url);
    proxy = route.proxy;
    const answer = await request(url, {
      dispatcher: route.dispatcher,
      method: call.method,
      headers: { ...call.headers, [requestIdHeader]: requestId, "User-Agent": options.userAgent },
      signal: deadline.signal,
      ...(call.body === undefined ? {} : { body: sendable(call.body()) }),
    });
    answer.body.once("close", deadline.release);
    return openReply(answer, requestId, explain);
  } catch (cause) {
    deadline.release();
    const reason: unknown = deadline.signal.aborted ? deadline.signal.reason : withoutData(cause);
    return { kind: "noReply", message: explain(reason), cause: reason };
  }
}

function openReply(
  answer: Dispatcher.ResponseData,
  requestId: string,
  explain: (error: unknown) => string,
): OpenReply {
  const header = (name: string) => {
    const value = answer.headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  return {
    kind: "open",
    status: answer.statusCode,
    header,
    correlationId: header(replyHeader.requestId) || requestId,
    body: answer.body,
    drop: async () => {
      try {
        await answer.body.dump({ limit: dropLimitBytes });
        await connectionFree();
      } catch {
        // The status is all that was wanted; a body that breaks off only costs the connection.
      }
    },
    abandon: () => {
      // Destroying an unread body is reported as an error of it: it is ours, and wanted.
      answer.body.on("error", () => undefined).destroy();
    },
    explain,
  };
}

function sendable(body: string | Uint8Array | AsyncIterable<Uint8Array>) {
  if (typeof body === "string" || body instanceof Uint8Array) return body;
  return Readable.from(body, { objectMode: false });
}

async function readText(body: Readable): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    const bytes: unknown = chunk;
    if (!(bytes instanceof Uint8Array)) continue;
    size += bytes.length;
    if (size > textLimitBytes) throw new Error(`the answer is larger than ${textLimitBytes} bytes`);
    chunks.push(bytes);
  }
  await connectionFree();
  return Buffer.concat(chunks).toString("utf8");
}

/** The HTTP client takes a connection back one turn after the reply's end; sooner, a new one is opened. */
function connectionFree(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Errors of the HTTP parser hold the bytes that they are about, which may be a job with its secrets. */
function withoutData(error: unknown): unknown {
  if (error instanceof Error && "data" in error) error.data = undefined;
  return error;
}

function hostAndPort(url: URL): string {
  return url.port === "" ? `${url.hostname}:${url.protocol === "https:" ? 443 : 80}` : url.host;
}
