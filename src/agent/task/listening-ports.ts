// Which TCP ports somebody listens on in the network that all containers of a task share. On Fargate nobody tells what a
// service's image exposes; that its port has come up can be seen all the same.

import { readFile } from "node:fs/promises";

/** Docker's own name server, where a task is played on one machine. */
const nameServer = "0B00007F";
const listenState = "0A";

export async function listeningPorts(): Promise<ReadonlySet<number>> {
  const tables = await Promise.all(
    ["/proc/net/tcp", "/proc/net/tcp6"].map((path) => readFile(path, "latin1").catch(() => "")),
  );
  return new Set(tables.flatMap(portsIn));
}

/** Of one table of the kernel's. */
export function portsIn(table: string): readonly number[] {
  return table.split("\n").flatMap((line) => {
    const [, local = "", , state] = line.trim().split(/\s+/);
    const [address, port = ""] = local.split(":");
    if (state !== listenState || address === nameServer) return [];
    return [Number.parseInt(port, 16)];
  });
}
