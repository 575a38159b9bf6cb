// A server that takes every connection and never says a word: what a registry is that hangs.

import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

export interface MuteServer {
  readonly address: string;
  close(): Promise<void>;
}

export async function startMuteServer(): Promise<MuteServer> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => open.delete(socket));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
