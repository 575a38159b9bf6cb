// A container's stdin, stdout and stderr as one connection. Asked for without a body, which the engine's client library
// always sends: Podman would hand it to the container as its first input.

import { request } from "node:http";
import type { Duplex } from "node:stream";
import { RunnerError } from "../../core/errors.ts";
import type { Engine } from "./engine.ts";

export async function attach(engine: Engine, containerId: string): Promise<Duplex> {
  const { socketPath, host, port } = engine.modem as {
    readonly socketPath?: string;
    readonly host?: string;
    readonly port?: number | string;
  };
  const place = socketPath === undefined ? { host, port } : { socketPath };
  return await new Promise((resolve, reject) => {
    const asked = request({
      ...place,
      method: "POST",
      path: `/containers/${containerId}/attach?stream=1&stdin=1&stdout=1&stderr=1`,
      headers: { Connection: "Upgrade", Upgrade: "tcp", "Content-Length": 0 },
    });
    asked.on("upgrade", (_, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    asked.on("response", ({ statusCode }) => {
      asked.destroy();
      reject(
        new RunnerError(
          "runner_system_failure",
          `the engine gives no connection to a container (HTTP ${statusCode})`,
        ),
      );
    });
    asked.on("error", reject);
    asked.end();
  });
}
