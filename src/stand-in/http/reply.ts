// An HTTP answer as a value, in the words GitLab uses for its errors. Handlers return one; only the
// server writes to the socket.

import { STATUS_CODES } from "node:http";
import type { OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

export interface Reply {
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer | Readable;
}

export function json(status: number, value: unknown, headers: OutgoingHttpHeaders = {}): Reply {
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(value),
  };
}

export function noContent(headers: OutgoingHttpHeaders = {}): Reply {
  return { status: 204, headers };
}

/** A bare number or word as GitLab sends it: `200`, not `"200"`, and yet called JSON. */
export function bare(status: number, body: string, headers: OutgoingHttpHeaders = {}): Reply {
  return { status, headers: { "content-type": "application/json", ...headers }, body };
}

/** `{"message": "403 Forbidden - Job is not running"}`: what GitLab's API code refuses. */
export function refuse(status: number, detail = "", headers: OutgoingHttpHeaders = {}): Reply {
  const title = `${String(status)} ${STATUS_CODES[status] ?? "Error"}`;
  return json(status, { message: detail === "" ? title : `${title} - ${detail}` }, headers);
}

/** `{"error": "token is missing"}`: what the parameter checks before GitLab's API code refuse. */
export function invalid(status: number, error: string): Reply {
  return json(status, { error });
}

export async function send(response: ServerResponse, reply: Reply, withBody: boolean) {
  const { body } = reply;
  const headers: OutgoingHttpHeaders = { ...reply.headers };
  if (typeof body === "string" || Buffer.isBuffer(body)) {
    headers["content-length"] = Buffer.byteLength(body);
  } else if (body === undefined && reply.status !== 204 && reply.status !== 304) {
    headers["content-length"] = 0;
  }
  response.writeHead(reply.status, headers);
  if (body === undefined || !withBody) {
    if (body !== undefined && typeof body !== "string" && !Buffer.isBuffer(body)) body.destroy();
    response.end();
  } else if (typeof body === "string" || Buffer.isBuffer(body)) {
    response.end(body);
  } else {
    await pipeline(body, response);
  }
}
