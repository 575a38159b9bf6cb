// An HTTP server on an address, made so that it can be closed at once whatever is still open.

import { once } from "node:events";
import type { RequestListener, Server } from "node:http";
import { createServer } from "node:http";
import { promisify } from "node:util";

export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

export async function listen(
  address: string,
  port: number,
  handler: RequestListener,
): Promise<Listener> {
  const server: Server = createServer({ requestTimeout: 0 }, handler);
  server.on("clientError", (_error, socket) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    else socket.destroy();
  });
  server.listen(port, address);
  try {
    await once(server, "listening");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`the stand-in cannot listen there: ${reason}`, { cause });
  }
  const bound = server.address();
  return {
    port: typeof bound === "object" && bound !== null ? bound.port : port,
    close: async () => {
      const closed = promisify(server.close.bind(server))();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Host part of a URL: an IPv6 address gets its brackets, "all addresses" becomes loopback. */
export function urlHost(address: string): string {
  if (address === "0.0.0.0" || address === "") return "127.0.0.1";
  if (address === "::") return "[::1]";
  return address.includes(":") ? `[${address}]` : address;
}
