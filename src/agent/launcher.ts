// What the launcher sends on stdin: the hand-off in the first line, then a message a line. A launcher that dies
// closes the pipe, which ends nothing: the job is the agent's by then.

import { createInterface } from "node:readline";
import { handOffSchema, launcherMessageSchema } from "../core/hand-off.ts";
import type { HandOff, LauncherMessage } from "../core/hand-off.ts";

export interface Launcher {
  readonly handOff: HandOff;
  /** Those that came before are heard at once. */
  listen(hear: (message: LauncherMessage) => void): void;
  close(): void;
}

/** Waits for the hand-off. Throws if what comes is none. */
export async function listenToLauncher(stdin: NodeJS.ReadableStream): Promise<Launcher> {
  const lines = createInterface({ input: stdin, crlfDelay: Infinity });
  const waiting: LauncherMessage[] = [];
  let hear = (message: LauncherMessage): void => {
    waiting.push(message);
  };
  const handOff = await new Promise<HandOff>((resolve, reject) => {
    let first = true;
    lines.on("line", (line) => {
      try {
        const value: unknown = JSON.parse(line);
        if (first) resolve(handOffSchema.parse(value));
        else hear(launcherMessageSchema.parse(value));
      } catch (cause) {
        // A newer launcher may say what we do not know; only the hand-off is needed.
        if (first) reject(cause instanceof Error ? cause : new Error("no hand-off"));
      }
      first = false;
    });
    lines.on("close", () => reject(new Error("no hand-off: stdin ended before it")));
  });
  return {
    handOff,
    listen(listener) {
      hear = listener;
      for (const message of waiting.splice(0)) listener(message);
    },
    close() {
      lines.close();
    },
  };
}
