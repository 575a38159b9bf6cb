// A real HTTP(S) server for one test: records what came, answers as the test says, counts connections.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createServer as createTcpServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { onTestFinished } from "vitest";

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  /** 0 for the first connection that the server took. */
  readonly connection: number;
}

export type Answer = (seen: Seen, response: ServerResponse, request: IncomingMessage) => unknown;

export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly seen: Seen[];
  readonly connections: () => number;
}

export interface ServeOptions {
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Hands the request over before its body is read: `text` is then empty. */
  readonly early?: boolean;
  readonly host?: "127.0.0.1" | "::1";
}

export async function serve(answer: Answer, options: ServeOptions = {}): Promise<TestServer> {
  const seen: Seen[] = [];
  const sockets: Socket[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? "/", "http://server");
    const entry: Seen = {
      method: request.method ?? "",
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      text: options.early === true ? "" : await readAll(request),
      connection: sockets.indexOf(request.socket),
    };
    seen.push(entry);
    await answer(entry, response, request);
  };
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    handle(request, response).catch(() => response.destroy());
  };
  const host = options.host ?? "127.0.0.1";
  const server =
    options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
  const onSocket = (socket: Socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
  };
  server.on(options.tls === undefined ? "connection" : "secureConnection", onSocket);
  await new Promise<void>((resolve) => {
    server.listen(0, host, resolve);
  });
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  const scheme = options.tls === undefined ? "http" : "https";
  return {
    url: `${scheme}://${host === "::1" ? "[::1]" : host}:${port}`,
    port,
    seen,
    connections: () => sockets.length,
  };
}

/** A server below HTTP, for what HTTP servers do not do. */
export async function serveRaw(onSocket: (socket: Socket) => void): Promise<string> {
  const sockets: Socket[] = [];
  const server = createTcpServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    onSocket(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export function replyJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("latin1");
}
