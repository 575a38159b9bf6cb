// A container engine of a test's own (engine.sh), gone with everything in it as soon as it is closed, or when
// this process ends without closing it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface TestEngine {
  /** For DOCKER_HOST. */
  readonly host: string;
  close(): Promise<void>;
}

/** Throws with what is missing where no engine can be started. */
export async function startEngine(folder?: string): Promise<TestEngine> {
  const script = fileURLToPath(new URL("engine.sh", import.meta.url));
  const child = spawn("/bin/sh", [script, ...(folder === undefined ? [] : [folder])], {
    stdio: ["pipe", "pipe", "pipe"],
    // A terminal's Ctrl-C is for us: the engine goes when we let go of it.
    detached: true,
  });
  let said = "";
  child.stderr.on("data", (bytes: Buffer) => (said = (said + bytes.toString()).slice(-4000)));
  const closed = once(child, "close");
  let host: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    host = /^DOCKER_HOST=(.+)$/.exec(line)?.[1];
    if (host !== undefined) break;
  }
  if (host === undefined) {
    await closed;
    throw new Error(said.trim());
  }
  return {
    host,
    async close() {
      child.stdin.end();
      await closed;
    },
  };
}
