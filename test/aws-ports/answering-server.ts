// An HTTP server that answers what the test says, one request after the other, and keeps what it was asked: enough to
// play a service of AWS for its client's real requests and its real reading of errors.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export type Answer =
  | {
      readonly status: number;
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The connection breaks after the request was taken. */
  | "hang up";

export interface AnsweringServer {
  readonly url: string;
  readonly requests: readonly {
    readonly method: string;
    readonly path: string;
    readonly target: string;
    readonly body: string;
  }[];
  /** For the next requests; the last one for all that follow. */
  answer(...answers: readonly Answer[]): void;
  close(): Promise<void>;
}

export async function startAnsweringServer(): Promise<AnsweringServer> {
  let queue: readonly Answer[] = [];
  const requests: { method: string; path: string; target: string; body: string }[] = [];
  const server = createServer(async (incoming, outgoing) => {
    let body = "";
    for await (const chunk of incoming.setEncoding("utf8")) body += String(chunk);
    const target =
      String(incoming.headers["x-amz-target"] ?? "")
        .split(".")
        .at(-1) ?? "";
    requests.push({ method: incoming.method ?? "", path: incoming.url ?? "", target, body });
    const [next = { status: 500 }, ...rest] = queue;
    if (rest.length > 0) queue = rest;
    if (next === "hang up") return void incoming.socket.destroy();
    outgoing.writeHead(next.status, next.headers);
    outgoing.end(typeof next.body === "string" ? next.body : JSON.stringify(next.body ?? {}));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answer: (...answers) => {
      queue = answers;
      requests.length = 0;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
