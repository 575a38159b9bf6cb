// A bucket behind presigned addresses, with S3's conditional writes: of all PUTs that carry If-None-Match only the first
// makes the object, the others get 412. An address is good for one method on one object.

import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import type { Grants } from "../../../src/core/hand-off.ts";

/** What a request gets instead of its answer; "lost": it is done, and nobody hears of it. */
export type BucketFault = "cut" | "lost" | number;

export interface Bucket {
  readonly url: string;
  readonly objects: Map<string, string>;
  /** As `METHOD name status`, in order; a status of 0: no answer. */
  readonly seen: string[];
  /** Of one object's next requests. */
  fail(name: string, ...faults: readonly BucketFault[]): void;
  /** Before an object is written. */
  onPut(listener: (name: string) => void): void;
  sign(method: "GET" | "HEAD" | "PUT", name: string, once?: "once"): Grants["started"];
  close(): void;
}

export async function startBucket(): Promise<Bucket> {
  const objects = new Map<string, string>();
  const faults = new Map<string, BucketFault[]>();
  const seen: string[] = [];
  let onPut: (name: string) => void = () => undefined;

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? "", "http://bucket");
    const { method = "" } = request;
    const name = decodeURIComponent(url.pathname.slice(1));
    const say = (status: number, body = "") => {
      seen.push(`${method} ${name} ${status}`);
      response.writeHead(status).end(body);
    };
    const fault = faults.get(name)?.shift();
    if (fault === "cut" || fault === "lost") {
      if (fault === "lost") objects.set(name, (await buffer(request)).toString());
      seen.push(`${method} ${name} 0`);
      return void request.socket.destroy();
    }
    if (typeof fault === "number") return say(fault, "<Error><Code>SlowDown</Code></Error>");
    if (url.searchParams.get("X-Method") !== method) return say(403);
    const condition = request.headers["if-none-match"];
    // A header that was signed must be sent, and no other of its kind.
    if ((url.searchParams.get("X-Once") ?? undefined) !== condition) return say(403);
    if (method === "PUT") {
      const body = (await buffer(request)).toString();
      if (request.headers["content-length"] === undefined) return say(411);
      if (condition === "*" && objects.has(name)) return say(412);
      onPut(name);
      objects.set(name, body);
      return say(200);
    }
    const object = objects.get(name);
    return object === undefined ? say(404) : say(200, object);
  };
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    url,
    objects,
    seen,
    fail: (name, ...more) => void faults.set(name, [...(faults.get(name) ?? []), ...more]),
    onPut: (listener) => {
      onPut = listener;
    },
    sign(method, name, once) {
      const query = new URLSearchParams({ "X-Method": method, ...(once ? { "X-Once": "*" } : {}) });
      return {
        url: `${url}/${name}?${query.toString()}`,
        ...(once ? { headers: { "if-none-match": "*" } } : {}),
      };
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** All that one attempt of a job is given. */
export function grantsOf(bucket: Bucket, signedAt: number, caches: readonly string[] = []): Grants {
  return {
    signedAt,
    started: bucket.sign("PUT", "started", "once"),
    startedBy: bucket.sign("GET", "started"),
    result: bucket.sign("PUT", "result.json"),
    renewed: bucket.sign("GET", "grants.json"),
    caches: Object.fromEntries(
      caches.map((name) => [
        name,
        {
          get: bucket.sign("GET", name),
          head: bucket.sign("HEAD", name),
          put: bucket.sign("PUT", name),
        },
      ]),
    ),
  };
}
