// A real forward proxy for one test: CONNECT tunnels and plain requests by their absolute address.

import { createServer, request } from "node:http";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { onTestFinished } from "vitest";

export interface TestProxy {
  readonly port: number;
  /** `CONNECT host:port` or `POST http://host/path`, in order. */
  readonly asked: string[];
  readonly authorizations: (string | undefined)[];
  readonly connections: () => number;
}

export interface ProxyOptions {
  /** Answers everything with this status instead of passing it on. */
  readonly refuse?: number;
  /** Takes CONNECT and never answers it. */
  readonly silent?: boolean;
  /** A port of this machine where everything ends, whatever name was asked for. */
  readonly passTo?: number;
}

export async function serveProxy(options: ProxyOptions = {}): Promise<TestProxy> {
  const asked: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const sockets: { destroy(): void }[] = [];
  const server = createServer((incoming, outgoing) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    authorizations.push(incoming.headers["proxy-authorization"]);
    if (options.refuse !== undefined) {
      outgoing.writeHead(options.refuse).end();
      return;
    }
    const { "proxy-authorization": _, ...headers } = incoming.headers;
    const { hostname, port, pathname, search } = new URL(incoming.url ?? "");
    const target =
      options.passTo === undefined
        ? { hostname, port }
        : { host: "127.0.0.1", port: options.passTo };
    const forward = request(
      { ...target, path: `${pathname}${search}`, method: incoming.method, headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    forward.on("error", () => outgoing.writeHead(502).end());
    incoming.pipe(forward);
  });
  server.on("connect", (incoming, socket: Socket) => {
    asked.push(`CONNECT ${incoming.url}`);
    authorizations.push(incoming.headers["proxy-authorization"]);
    sockets.push(socket);
    socket.on("error", () => undefined);
    if (options.silent === true) return;
    if (options.refuse !== undefined) {
      socket.end(`HTTP/1.1 ${options.refuse} No\r\n\r\n`);
      return;
    }
    const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(incoming.url ?? "") ?? [];
    const target = options.passTo ?? Number(port);
    const onward = connect(target, options.passTo === undefined ? host : "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      socket.pipe(onward).pipe(socket);
    });
    sockets.push(onward);
    onward.on("error", () => socket.destroy());
  });
  let connections = 0;
  server.on("connection", (socket) => {
    connections++;
    sockets.push(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, asked, authorizations, connections: () => connections };
}
