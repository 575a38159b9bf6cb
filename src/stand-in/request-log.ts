// Every request to the API as it came, for tests that ask what a runner really sent. Old ones and
// huge bodies are forgotten, so that a stand-in may run for days.

import type { IncomingHttpHeaders } from "node:http";

export interface RecordedRequest {
  readonly at: number;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<IncomingHttpHeaders>;
  /** Undefined when it was not read whole (uploads) or there was too much to keep. */
  body: Buffer | undefined;
  /** What was answered; 0 when the connection was cut instead. */
  status: number | undefined;
}

const maxRequests = 20_000;
const maxBodyBytes = 64 * 1024 * 1024;

export class RequestLog {
  readonly #requests: RecordedRequest[] = [];
  #bodyBytes = 0;

  add(request: RecordedRequest) {
    this.#requests.push(request);
    while (this.#requests.length > maxRequests) {
      this.#bodyBytes -= this.#requests.shift()?.body?.length ?? 0;
    }
  }

  keepBody(request: RecordedRequest, body: Buffer) {
    if (this.#bodyBytes + body.length > maxBodyBytes) return;
    this.#bodyBytes += body.length;
    request.body = body;
  }

  all(): readonly RecordedRequest[] {
    return this.#requests;
  }

  clear() {
    this.#requests.length = 0;
    this.#bodyBytes = 0;
  }
}

/** The JSON object of a recorded body; empty when there is none. */
export function jsonBody(request: RecordedRequest): Record<string, unknown> {
  if (request.body === undefined || request.body.length === 0) return {};
  const value: unknown = JSON.parse(request.body.toString("utf8"));
  return typeof value === "object" && value !== null ? { ...value } : {};
}
