// A small, strict object storage: an address is good for one method on one object until it expires, and for exactly
// the headers that were signed. Where Amazon's S3 refuses, it refuses, with S3's words.

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { onTestFinished } from "vitest";
import type { PresignedRequest } from "../../../src/agent/cache/presigned-request.ts";

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly status: number;
}

export interface FakeS3 {
  readonly host: string;
  readonly requests: readonly SeenRequest[];
  readonly objects: Map<string, { readonly body: Buffer; readonly modified: Date }>;
  /** An address, good for `seconds`. */
  sign(
    method: string,
    name: string,
    options?: { readonly seconds?: number; readonly headers?: Readonly<Record<string, string>> },
  ): PresignedRequest;
  /** What the next requests get instead of an answer: a status, a cut, silence. */
  readonly faults: (number | "cut" | "cut body" | "silence")[];
  /** The time, which only goes on when told. */
  now: number;
}

export async function startFakeS3(secure?: {
  readonly key: string;
  readonly cert: string;
}): Promise<FakeS3> {
  const requests: SeenRequest[] = [];
  const listener: RequestListener = (request, response) => {
    response.once("close", () => {
      const { method = "", headers } = request;
      const path = (request.url ?? "").split("?")[0] ?? "";
      requests.push({ method, path, headers, status: response.statusCode });
    });
    void answer(s3, request, response).catch(() => response.destroy());
  };
  const server = secure === undefined ? createServer(listener) : createTlsServer(secure, listener);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const scheme = secure === undefined ? "http" : "https";
  const host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const s3: FakeS3 = {
    host,
    requests,
    objects: new Map(),
    faults: [],
    now: Date.parse("2026-01-01T00:00:00Z"),
    sign(method, name, { seconds = 60, headers = {} } = {}) {
      const path = `/bucket/${name.split("/").map(encodeURIComponent).join("/")}`;
      const until = s3.now + seconds * 1000;
      const signed = Object.entries(headers).map(([key, value]) => `${key}:${value}`);
      const signature = signatureOf(method, path, until, signed);
      const query = new URLSearchParams({
        "X-Amz-Until": String(until),
        "X-Amz-SignedHeaders": Object.keys(headers).join(";"),
        "X-Amz-Signature": signature,
      });
      return { url: `${scheme}://${host}${path}?${query.toString()}`, headers };
    },
  };
  return s3;
}

function signatureOf(method: string, path: string, until: number, signed: readonly string[]) {
  const text = JSON.stringify(["the storage's own secret", method, path, until, signed]);
  return createHash("sha256").update(text).digest("hex");
}

async function answer(s3: FakeS3, request: IncomingMessage, response: ServerResponse) {
  const fault = s3.faults.shift();
  if (fault === "silence") return;
  if (fault === "cut") return void request.socket.destroy();
  const url = new URL(request.url ?? "", `http://${s3.host}`);
  const problem = refusal(s3, request, url);
  if (fault !== undefined && fault !== "cut body") return refuse(response, fault, "SlowDown", "");
  if (problem !== undefined) return refuse(response, ...problem);
  const name = decodeURIComponent(url.pathname.replace("/bucket/", ""));
  if (request.method === "PUT") {
    s3.objects.set(name, { body: await buffer(request), modified: new Date(s3.now) });
    response.writeHead(200, { etag: '"1"' }).end();
    return;
  }
  const object = s3.objects.get(name);
  if (object === undefined) return refuse(response, 404, "NoSuchKey", "");
  response.writeHead(200, {
    "content-length": object.body.length,
    "last-modified": object.modified.toUTCString(),
  });
  if (fault === "cut body") {
    response.write(object.body.subarray(0, object.body.length / 2), () => response.destroy());
  } else response.end(request.method === "HEAD" ? undefined : object.body);
}

type Refusal = readonly [status: number, code: string, message: string];

function refusal(s3: FakeS3, request: IncomingMessage, url: URL): Refusal | undefined {
  const { headers, method = "" } = request;
  const until = Number(url.searchParams.get("X-Amz-Until"));
  const names = (url.searchParams.get("X-Amz-SignedHeaders") ?? "").split(";").filter(Boolean);
  const signed = names.map((name) => `${name}:${String(headers[name.toLowerCase()])}`);
  const expected = signatureOf(method, url.pathname, until, signed);
  const given = url.searchParams.get("X-Amz-Signature") ?? "";
  if (given !== expected) {
    return [403, "SignatureDoesNotMatch", `<SignatureProvided>${given}</SignatureProvided>`];
  }
  if (s3.now > until) return [403, "AccessDenied", "<Message>Request has expired</Message>"];
  const unsigned = Object.keys(headers).find(
    (name) => name.startsWith("x-amz-") && !names.map((n) => n.toLowerCase()).includes(name),
  );
  if (unsigned !== undefined) return [403, "AccessDenied", "There were headers not signed"];
  if (headers["if-none-match"] !== undefined) return [412, "PreconditionFailed", ""];
  if (method !== "PUT") return undefined;
  if (headers["transfer-encoding"] !== undefined || headers["content-length"] === undefined) {
    return [411, "MissingContentLength", ""];
  }
  if (headers["content-type"] !== "application/octet-stream") return [400, "InvalidRequest", ""];
  return undefined;
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code>${message}</Error>`;
  response.writeHead(status, { "content-type": "application/xml" }).end(body);
}
