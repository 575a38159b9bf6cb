// Whoever launched this agent, as the job sees it; and the one on the same machine, which speaks on stdin: the hand-off
// in the first line, then a message a line. One that dies closes the pipe, which ends nothing: the job is ours by then.

import { createInterface } from "node:readline";
import type { JobLog } from "../core/job-log.ts";
import type { Outcome } from "../core/outcome.ts";
import { folderStore } from "./cache/folder-store.ts";
import type { CacheStore } from "./cache/store.ts";
import { steadyNow } from "./clock.ts";
import { handOffSchema, launcherMessageSchema } from "../core/hand-off.ts";
import type { HandOff, LauncherMessage } from "../core/hand-off.ts";

export interface Launcher {
  readonly handOff: HandOff;
  /** What GitLab's log of this job holds already: ours goes on behind it. */
  readonly inherited: string;
  /** For the head of the log: where else it is to be seen. */
  readonly head: readonly string[];
  /**
   * A job that was told to stop goes back to the launcher, who knows why and may run it again; else it is the agent who
   * tells GitLab.
   */
  readonly handsBack: boolean;
  /** Those that came before are heard at once. */
  listen(hear: (message: LauncherMessage) => void): void;
  /** Where this job's caches are between jobs. */
  caches(tools: CacheTools): CacheStore;
  /** Before the job's end is told: what else is known of it may be heard now. Or it was not the job's own end. */
  lookBack(outcome: Outcome): Promise<"its-own" | "interrupted">;
  close(): void;
}

export interface CacheTools {
  readonly log: JobLog;
  readonly signal: AbortSignal;
  /** Of one request. */
  readonly timeoutSeconds: number;
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
    inherited: "",
    head: [],
    handsBack: false,
    caches: ({ log }) => folderStore({ folder: handOff.folders.cache, log, now: steadyNow }),
    lookBack: () => Promise.resolve("its-own"),
    listen(listener) {
      hear = listener;
      for (const message of waiting.splice(0)) listener(message);
    },
    close() {
      lines.close();
    },
  };
}
