// The script of a job's container: beside the function's bundle, where the build has put it, or in the sources.

import { existsSync, readFileSync } from "node:fs";

export function readBootScript(): string {
  const bundled = new URL("./boot.sh", import.meta.url);
  const source = new URL("../src/agent/boot.sh", import.meta.url);
  return readFileSync(existsSync(bundled) ? bundled : source, "utf8");
}
