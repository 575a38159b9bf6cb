// Takes every HTTP request: records it, applies the faults that were ordered, finds its handler,
// sends the answer. Whatever goes wrong inside becomes a 500; nothing gets past.

import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { FaultEffect, Faults } from "./faults.ts";
import type { Exchange } from "./http/exchange.ts";
import type { Reply } from "./http/reply.ts";
import { json, refuse, send } from "./http/reply.ts";
import type { RecordedRequest, RequestLog } from "./request-log.ts";

export interface FrontDoor {
  readonly now: () => number;
  readonly log: RequestLog;
  readonly faults: Faults;
  readonly closing: AbortSignal;
  readonly dispatch: (exchange: Exchange) => Promise<Reply>;
}

export async function receive(door: FrontDoor, request: IncomingMessage, response: ServerResponse) {
  const method = request.method ?? "GET";
  const url = parseUrl(request.url ?? "/");
  if (url === undefined) {
    await send(response, refuse(400), true);
    return;
  }
  const record: RecordedRequest = {
    at: door.now(),
    method,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: request.headers,
    body: undefined,
    status: undefined,
  };
  if (url.pathname.startsWith("/api/")) door.log.add(record);
  const gone = new AbortController();
  const leave = () => gone.abort();
  response.once("close", leave);
  door.closing.addEventListener("abort", leave);
  request.on("error", leave);
  try {
    const fault = door.faults.take(method, url.pathname);
    const admitted = await applyFault(fault, request);
    if (admitted.kind === "cut") {
      record.status = 0;
      request.socket.destroy();
      return;
    }
    const reply =
      admitted.kind === "reply"
        ? admitted.reply
        : await handle(door, {
            method,
            path: url.pathname,
            query: url.searchParams,
            headers: request.headers,
            input: admitted.input,
            gone: gone.signal,
            captured: {},
            onBody: (body) => door.log.keepBody(record, body),
          });
    if (fault?.kind === "cut") {
      record.status = 0;
      request.socket.destroy();
      return;
    }
    record.status = reply.status;
    await finish(request, response, reply, method !== "HEAD");
  } catch {
    // The client has gone in the middle of the answer.
    response.destroy();
  } finally {
    door.closing.removeEventListener("abort", leave);
  }
}

async function handle(door: FrontDoor, exchange: Exchange): Promise<Reply> {
  try {
    return await door.dispatch(exchange);
  } catch (error) {
    if (exchange.gone.aborted) throw error;
    return json(500, { message: "500 Internal Server Error", detail: String(error) });
  }
}

function parseUrl(target: string): URL | undefined {
  try {
    return new URL(target, "http://stand-in");
  } catch {
    return undefined;
  }
}

type Admitted =
  | { readonly kind: "request"; readonly input: Readable }
  | { readonly kind: "reply"; readonly reply: Reply }
  | { readonly kind: "cut" };

async function applyFault(
  fault: FaultEffect | undefined,
  request: IncomingMessage,
): Promise<Admitted> {
  switch (fault?.kind) {
    case undefined:
      return { kind: "request", input: request };
    case "latency":
      await delay(fault.milliseconds);
      return { kind: "request", input: request };
    case "status": {
      const { status, retryAfterSeconds } = fault;
      const headers =
        retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) };
      return { kind: "reply", reply: refuse(status, "", headers) };
    }
    case "cut": {
      const body = await readUpTo(request, fault.afterBytes);
      return body === undefined
        ? { kind: "cut" }
        : { kind: "request", input: Readable.from(body, { objectMode: false }) };
    }
  }
}

/** The whole body, or undefined as soon as it has reached that many bytes. */
async function readUpTo(request: IncomingMessage, bytes: number): Promise<Buffer[] | undefined> {
  if (bytes === 0) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    chunks.push(buffer);
    size += buffer.length;
    if (size >= bytes) return undefined;
  }
  return chunks;
}

/** How much of an unwanted body is still taken, so that its sender gets to read the refusal. */
const drainLimitBytes = 64 * 1024 * 1024;

async function finish(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  withBody: boolean,
) {
  if (!request.complete) {
    let drained = 0;
    request.on("data", (chunk: Buffer) => {
      drained += chunk.length;
      if (drained > drainLimitBytes) request.destroy();
    });
    request.resume();
  }
  const headers = { "x-request-id": randomBytes(16).toString("hex"), ...reply.headers };
  await send(response, { ...reply, headers }, withBody);
}
