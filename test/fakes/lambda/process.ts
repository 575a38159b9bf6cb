// One process of a function: a built bundle under the machine's Node, with nothing in its environment but what Lambda
// and the stack put there. It serves one event at a time, and may serve many.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

export interface FunctionProcess {
  /** Its session token: whoever sees a request of its knows it by that. */
  readonly session: string;
  readonly pid: number | undefined;
  /** How long the import of its bundle took; undefined: not yet over. */
  readonly importMs: number | undefined;
  readonly alive: boolean;
  invoke(requestId: string, event: unknown, timeoutMs: number): Promise<Invoked>;
  kill(): void;
  /** All that it has printed. */
  log(): string;
  readonly ended: Promise<void>;
}

export type Invoked =
  | {
      readonly kind: "result";
      readonly result: unknown;
      readonly cpuMs: number;
      readonly rssBytes: number;
    }
  | {
      readonly kind: "error";
      readonly errorType: string;
      readonly errorMessage: string;
      readonly stack: string;
      readonly cpuMs: number;
      readonly rssBytes: number;
    }
  | { readonly kind: "timeout" }
  /** It ended in the middle: killed by the test, or crashed. */
  | { readonly kind: "died" };

export interface ProcessOptions {
  /** index.mjs. */
  readonly file: string;
  readonly session: string;
  readonly environment: Readonly<Record<string, string>>;
}

type Said = { readonly kind: "ready"; readonly milliseconds: number } | Invoked;

export function startFunctionProcess(options: ProcessOptions): FunctionProcess {
  const bootstrap = fileURLToPath(new URL("bootstrap.mjs", import.meta.url));
  const child = spawn(process.execPath, [bootstrap], {
    env: { ...options.environment, FAKE_LAMBDA_FILE: options.file },
    stdio: ["pipe", "pipe", "pipe", "pipe"],
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (bytes: Buffer) => {
      printed = (printed + bytes.toString()).slice(-1_000_000);
    });
  }
  child.stdin.on("error", () => {
    // It has ended; whoever waits for its answer is told so.
  });
  let alive = true;
  let importMs: number | undefined;
  let waiting: ((said: Invoked) => void) | undefined;
  const tell = (said: Invoked) => {
    const teller = waiting;
    waiting = undefined;
    teller?.(said);
  };
  createInterface({ input: child.stdio[3] as Readable }).on("line", (line) => {
    const said = JSON.parse(line) as Said;
    if (said.kind === "ready") importMs = said.milliseconds;
    else tell(said);
  });
  child.on("error", () => {
    alive = false;
    tell({ kind: "died" });
  });
  const ended = once(child, "close").then(() => {
    alive = false;
    tell({ kind: "died" });
  });
  const kill = () => {
    alive = false;
    child.kill("SIGKILL");
  };
  return {
    session: options.session,
    pid: child.pid,
    get importMs() {
      return importMs;
    },
    get alive() {
      return alive;
    },
    async invoke(requestId, event, timeoutMs) {
      const deadline = Date.now() + timeoutMs;
      const answered = new Promise<Invoked>((resolve) => {
        waiting = resolve;
      });
      const timer = setTimeout(() => {
        kill();
        tell({ kind: "timeout" });
      }, timeoutMs);
      child.stdin.write(`${JSON.stringify({ requestId, event, deadline })}\n`);
      const said = await answered;
      clearTimeout(timer);
      return said;
    },
    kill,
    log: () => printed,
    ended,
  };
}
