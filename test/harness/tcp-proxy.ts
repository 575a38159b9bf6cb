// The network between a runner and its GitLab, made to fail: a TCP proxy that can go away and come back, and
// cut a connection, or stop forwarding it without a word, at a chosen byte of a chosen request or answer.

import { createServer, connect } from "node:net";
import type { Server, Socket } from "node:net";
import { once } from "node:events";

export interface Interference {
  /** Matched against the first line of a request, such as "PATCH /api/v4/jobs/1/trace?… HTTP/1.1". */
  readonly request: RegExp;
  /**
   * After so many bytes of the request, counted from its first line on, or when the answer to the whole
   * request comes back, none of which is handed on.
   */
  readonly at: { readonly requestBytes: number } | "answer";
  /** Cut: both ends hear of it. Freeze: nobody hears anything any more, on this connection. */
  readonly effect: "cut" | "freeze";
  /** How many requests; one by default. */
  readonly times?: number;
}

export interface TcpProxy {
  readonly url: string;
  interfere(interference: Interference): void;
  /** How many interferences have happened. */
  readonly interfered: number;
  /** Closes the port and cuts every connection. */
  goAway(): Promise<void>;
  /** Listens again, on the same port. */
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  frozen: boolean;
}

/** Forwards to a port of this machine. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const links = new Set<Link>();
  const pending: { rule: Interference; left: number }[] = [];
  let interfered = 0;
  let port = 0;
  let server: Server | undefined;

  const listen = async () => {
    server = createServer((client) => accept(client));
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    const bound = server.address();
    if (typeof bound === "object" && bound !== null) port = bound.port;
  };
  const cut = (link: Link) => {
    links.delete(link);
    link.client.resetAndDestroy();
    link.server.resetAndDestroy();
  };
  const goAway = async () => {
    const closing = server;
    server = undefined;
    for (const link of links) cut(link);
    if (closing !== undefined) await new Promise((resolve) => closing.close(resolve));
  };

  function accept(client: Socket) {
    const link: Link = { client, server: connect(targetPort, "127.0.0.1"), frozen: false };
    links.add(link);
    /** Of the request under way: the rule that is waiting for its moment, and the bytes so far. */
    let armed: { rule: Interference; bytes: number } | undefined;
    const strike = (rule: Interference) => {
      interfered++;
      if (rule.effect === "freeze") link.frozen = true;
      else cut(link);
    };
    client.on("data", (chunk) => {
      if (link.frozen) return;
      const rule = take(chunk);
      if (rule !== undefined) armed = { rule, bytes: 0 };
      if (armed === undefined || armed.rule.at === "answer") return void link.server.write(chunk);
      const left = armed.rule.at.requestBytes - armed.bytes;
      armed.bytes += chunk.length;
      if (chunk.length < left) return void link.server.write(chunk);
      const { rule: ripe } = armed;
      armed = undefined;
      link.server.write(chunk.subarray(0, left), () => strike(ripe));
      link.frozen = true;
    });
    link.server.on("data", (chunk) => {
      if (link.frozen) return;
      if (armed?.rule.at !== "answer") return void client.write(chunk);
      const { rule } = armed;
      armed = undefined;
      strike(rule);
    });
    const ends = [
      [client, link.server],
      [link.server, client],
    ] as const;
    for (const [from, to] of ends) {
      from.on("error", () => to.destroy());
      from.on("end", () => {
        if (!link.frozen) to.end();
      });
      from.on("close", () => {
        if (link.frozen) return;
        links.delete(link);
        to.destroy();
      });
    }
  }

  /** The rule for a chunk that begins a request, used up by one. */
  function take(chunk: Buffer): Interference | undefined {
    const line = chunk.subarray(0, 2048).toString("latin1").split("\r\n")[0] ?? "";
    if (!line.endsWith(" HTTP/1.1")) return undefined;
    const index = pending.findIndex(({ rule }) => rule.request.test(line));
    const found = pending[index];
    if (found === undefined) return undefined;
    found.left--;
    if (found.left === 0) pending.splice(index, 1);
    return found.rule;
  }

  await listen();
  return {
    url: `http://127.0.0.1:${port}`,
    interfere(rule) {
      pending.push({ rule, left: rule.times ?? 1 });
    },
    get interfered() {
      return interfered;
    },
    goAway,
    comeBack: listen,
    close: goAway,
  };
}
