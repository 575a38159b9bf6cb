// One request to object storage by an address that carries its own signature. Such an address is a secret as long as
// it is valid: what is said of a request names host and path, never the query.

import { STATUS_CODES } from "node:http";
import type { Readable } from "node:stream";
import type { Connections } from "../../gitlab/connections.ts";
import { startDeadline } from "../../gitlab/deadline.ts";
import { describeFailure } from "../../gitlab/failure.ts";

export interface PresignedRequest {
  readonly url: string;
  /** Signed with the address: sent as they are. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface PresignedCall {
  readonly connections: Connections;
  readonly method: "GET" | "HEAD" | "PUT";
  readonly request: PresignedRequest;
  /** Besides those that were signed; those win. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Called anew for every attempt. */
  readonly body?: () => Readable;
  /** Takes the content of an answer; begins anew when called again. */
  readonly receive?: (body: Readable) => Promise<void>;
  /** Of one attempt. */
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

export type PresignedReply =
  | { readonly kind: "done"; readonly header: (name: string) => string | undefined }
  | { readonly kind: "missing" }
  | { readonly kind: "failed"; readonly message: string };

type Attempt = PresignedReply | { readonly kind: "again"; readonly message: string };

const attempts = 3;
const pauseMilliseconds = 1000;
/** What a timer can hold. */
const longestTimeoutSeconds = 2_000_000;
const longestComplaintBytes = 16 * 1024;

/** Asks again where the storage is in trouble, or out of reach: three times in all. */
export async function callPresigned(call: PresignedCall): Promise<PresignedReply> {
  for (let attempt = 1; ; attempt++) {
    const result = await callOnce(call);
    if (result.kind !== "again") return result;
    if (attempt === attempts || call.signal.aborted) return { ...result, kind: "failed" };
    await call.sleep(pauseMilliseconds, call.signal);
  }
}

async function callOnce(call: PresignedCall): Promise<Attempt> {
  const url = new URL(call.request.url);
  const route = call.connections.routeTo(url);
  const closed = new AbortController().signal;
  const totalSeconds = Math.min(call.timeoutSeconds, longestTimeoutSeconds);
  const deadline = startDeadline({ totalSeconds, closed, caller: call.signal });
  try {
    const answer = await route.dispatcher.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: call.method,
      headers: { ...call.headers, ...call.request.headers },
      signal: deadline.signal,
      ...(call.body === undefined ? {} : { body: call.body() }),
    });
    const header = (name: string): string | undefined => {
      const value = answer.headers[name];
      return Array.isArray(value) ? value[0] : value;
    };
    if (answer.statusCode >= 200 && answer.statusCode < 300) {
      if (call.receive === undefined) await answer.body.dump();
      else await call.receive(answer.body);
      return { kind: "done", header };
    }
    const complaint = await beginning(answer.body);
    if (answer.statusCode === 404) return { kind: "missing" };
    const message = refusal(call.method, url, answer.statusCode, complaint);
    return { kind: answer.statusCode >= 500 ? "again" : "failed", message };
  } catch (error) {
    const host = url.port === "" ? url.hostname : url.host;
    const reason: unknown = deadline.signal.aborted ? deadline.signal.reason : error;
    return { kind: "again", message: describeFailure(reason, { host, proxy: route.proxy }) };
  } finally {
    deadline.release();
  }
}

/** Storage explains itself in XML; its code is safe to tell, the rest may repeat what was signed. */
function refusal(method: string, url: URL, status: number, complaint: string): string {
  const code = /<Code>(\w{1,64})<\/Code>/.exec(complaint)?.[1];
  const answer = `${status} ${STATUS_CODES[status] ?? ""}`.trim();
  const why = code === undefined ? "" : ` (${code})`;
  return `${method} ${url.origin}${url.pathname}: ${answer}${why}`;
}

async function beginning(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > longestComplaintBytes) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}
