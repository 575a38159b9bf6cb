// One request to object storage by an address that carries its own signature. Such an address is a secret as long as
// it is valid: what is said of a request names host and path, never the query.

import { STATUS_CODES } from "node:http";
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { startDeadline } from "../../gitlab/deadline.ts";
import { describeFailure } from "../../gitlab/failure.ts";
import { proxyFor } from "../../gitlab/proxy.ts";
import { openRequest } from "./storage-route.ts";
import type { StorageNetwork } from "./storage-route.ts";

export interface PresignedRequest {
  readonly url: string;
  /** Signed with the address: sent as they are. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface PresignedCall {
  readonly network: StorageNetwork;
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
  /** @default 3 */
  readonly attempts?: number;
  readonly signal: AbortSignal;
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

export type PresignedReply =
  | { readonly kind: "done"; readonly header: (name: string) => string | undefined }
  | { readonly kind: "missing" }
  | {
      readonly kind: "failed";
      readonly message: string;
      /** HTTP's; undefined: there was no answer. */
      readonly status: number | undefined;
    };

type Attempt =
  | PresignedReply
  | { readonly kind: "again"; readonly message: string; readonly status: number | undefined };

const usualAttempts = 3;
const pauseMilliseconds = 1000;
/** What a timer can hold. */
const longestTimeoutSeconds = 2_000_000;
const longestComplaintBytes = 16 * 1024;

/** Asks again where the storage is in trouble, or out of reach. */
export async function callPresigned(call: PresignedCall): Promise<PresignedReply> {
  const { attempts = usualAttempts } = call;
  for (let attempt = 1; ; attempt++) {
    const result = await callOnce(call);
    if (result.kind !== "again") return result;
    if (attempt === attempts || call.signal.aborted) return { ...result, kind: "failed" };
    await call.sleep(pauseMilliseconds, call.signal);
  }
}

async function callOnce(call: PresignedCall): Promise<Attempt> {
  const url = new URL(call.request.url);
  const closed = new AbortController().signal;
  const totalSeconds = Math.min(call.timeoutSeconds, longestTimeoutSeconds);
  const deadline = startDeadline({ totalSeconds, closed, caller: call.signal });
  const { method, network } = call;
  const { signal } = deadline;
  let request: ClientRequest | undefined;
  try {
    const headers = { ...call.headers, ...call.request.headers };
    request = await openRequest(network, { method, url, headers, signal });
    return await readAnswer(call, url, await answerTo(request, call.body?.()));
  } catch (error) {
    const host = url.port === "" ? url.hostname : url.host;
    const proxy = proxyFor(url, network.env)?.host;
    const reason: unknown = signal.aborted ? signal.reason : error;
    return {
      kind: "again",
      message: describeFailure(reason, { host, proxy }),
      status: undefined,
    };
  } finally {
    deadline.release();
    request?.destroy();
  }
}

/** A refusal may come before all of the body is sent: then the rest is not. */
function answerTo(request: ClientRequest, body: Readable | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // Stays: what goes wrong after the answer has come is nobody's.
    request.on("error", reject);
    request.once("response", (answer) => {
      body?.unpipe(request).destroy();
      resolve(answer);
    });
    if (body === undefined) request.end();
    else body.once("error", (error) => request.destroy(error)).pipe(request);
  });
}

async function readAnswer(
  call: PresignedCall,
  url: URL,
  answer: IncomingMessage,
): Promise<Attempt> {
  const status = answer.statusCode ?? 0;
  const header = (name: string): string | undefined => {
    const value = answer.headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  if (status >= 200 && status < 300) {
    if (call.receive !== undefined) await call.receive(answer);
    return { kind: "done", header };
  }
  const complaint = await beginning(answer);
  if (status === 404) return { kind: "missing" };
  const message = refusal(call.method, url, status, complaint);
  return { kind: status >= 500 ? "again" : "failed", message, status };
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
