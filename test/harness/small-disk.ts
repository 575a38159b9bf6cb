// A disk that is too small, in two ways. A file system without room needs the right to mount one, which
// processes are given in a namespace of their own, so that it vanishes with them; where that is not allowed,
// and always in the second way, it is the system's limit on the size of a file.

import { spawnSync } from "node:child_process";

export type SmallDisk = "a file system without room" | "a limit on the size of files";

/** Put before a command: whatever it writes into `folder` is soon too much. About 2 MiB fit. */
export function smallDisk(kind: SmallDisk, folder: string): readonly string[] {
  // 2048 blocks of half a KiB; some shells count in whole ones.
  const limited = ["sh", "-c", 'ulimit -f 2048; exec "$@"', "sh"];
  if (kind === "a limit on the size of files") return limited;
  const mount = `mkdir -p "$0" && mount -t tmpfs -o size=2m,mode=0700 tmpfs "$0" && exec "$@"`;
  for (const own of [
    ["unshare", "-m"],
    ["unshare", "-rm"],
  ]) {
    const [command, ...flags] = own;
    const prefix = [...flags, "sh", "-c", mount, folder];
    if (spawnSync(command!, [...prefix, "true"]).status === 0) return [command!, ...prefix];
  }
  return limited;
}
