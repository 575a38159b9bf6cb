// The agent's view of the job's container (or child process): run a stage's script there, hear how
// it ended, cancel it. Talks to boot.sh over the three FIFOs and always drains the output.

import { randomBytes } from "node:crypto";
import { closeSync, writeSync } from "node:fs";
import { chmod, rm, writeFile } from "node:fs/promises";
import { Socket } from "node:net";
import type { OnReadOpts, SocketConstructorOpts } from "node:net";
import { join } from "node:path";
import { makeControlFiles } from "./control-files.ts";
import { createStageOutput } from "./stage-output.ts";

/** How a stage's shell ended: with a status, or its container went away under it. */
export type StageExit =
  | { readonly kind: "exit"; readonly status: number }
  | { readonly kind: "gone" };

export type ContainerState =
  | { readonly kind: "up"; readonly uid: string; readonly shell: string }
  | { readonly kind: "gone" };

export interface JobContainer {
  /** Resolves when boot reports itself, or has gone before it could. */
  readonly state: Promise<ContainerState>;
  /** Runs a shell program; resolves when it ended and all it printed has been handed on. */
  run(program: string): Promise<StageExit>;
  /** TERM to all that the job has running, KILL to what is left after `graceSeconds`. */
  cancel(graceSeconds: number): void;
  /** Ends boot and what still runs. No call after this one. */
  quit(graceSeconds: number): Promise<void>;
  /** Lets go without a word; boot takes it as the agent's death. */
  abandon(): void;
}

/**
 * Opens the control folder and waits for boot to come up there.
 * `onOutput` gets the job's output as it comes; the bytes are valid only during the call.
 */
export async function openJobContainer(
  folder: string,
  onOutput: (bytes: Uint8Array) => void,
): Promise<JobContainer> {
  const files = await makeControlFiles(folder);
  const { promise: state, resolve: settleState } = deferred<ContainerState>();
  const { promise: gone, resolve: settleGone } = deferred<void>();
  const exits = new Map<string, (status: number) => void>();

  const output = createStageOutput(onOutput);
  const buffer = Buffer.allocUnsafe(64 * 1024);
  // One buffer for all reads: 500 MB of output leave no garbage behind.
  const outOptions: SocketConstructorOpts & { onread: OnReadOpts } = {
    fd: files.out,
    writable: false,
    onread: {
      buffer,
      callback: (size) => {
        output.take(buffer.subarray(0, size));
        return true;
      },
    },
  };
  const outSocket = new Socket(outOptions);
  outSocket.resume();

  const eventSocket = new Socket({ fd: files.events, writable: false });
  let pending = "";
  eventSocket.on("data", (chunk: Buffer) => {
    const lines = (pending + chunk.toString("latin1")).split("\n");
    // An event is short; a job that writes rubbish into the pipe shall not fill our memory.
    pending = (lines.pop() ?? "").slice(-1024);
    for (const line of lines) {
      const [verb, first = "", second = ""] = line.split(" ");
      if (verb === "up") settleState({ kind: "up", uid: first, shell: second });
      if (verb === "exit" && /^\d{1,3}$/.test(second)) exits.get(first)?.(Number(second));
    }
  });
  const onGone = () => {
    settleState({ kind: "gone" });
    settleGone();
  };
  eventSocket.on("end", onGone);
  eventSocket.on("error", onGone);
  outSocket.on("error", onGone);

  const command = (line: string) => {
    writeSync(files.cmd, `${line}\n`);
  };

  const close = () => {
    outSocket.destroy();
    eventSocket.destroy();
    closeSync(files.cmd);
  };

  return {
    state,
    async run(program) {
      const nonce = randomBytes(16).toString("hex");
      const path = join(folder, `stage-${nonce}`);
      await writeFile(path, program, { mode: 0o600, flag: "wx" });
      // Whoever the image's user is must be able to read it; the folder guards it from others.
      await chmod(path, 0o644);
      const ended = new Promise<StageExit>((resolve) => {
        exits.set(nonce, (status) => resolve({ kind: "exit", status }));
      });
      const drained = output.expect(nonce);
      command(`run ${nonce} ${path}`);
      const exit = await Promise.race([
        Promise.all([ended, drained]).then(([status]) => status),
        gone.then((): StageExit => ({ kind: "gone" })),
      ]);
      exits.delete(nonce);
      output.flush();
      await rm(path, { force: true });
      return exit;
    },
    cancel(graceSeconds) {
      command(`cancel ${graceSeconds}`);
    },
    async quit(graceSeconds) {
      command(`quit ${graceSeconds}`);
      await Promise.race([gone, delay((graceSeconds + 10) * 1000)]);
      close();
    },
    abandon: close,
  };
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let settle: ((value: T) => void) | undefined;
  const promise = new Promise<T>((resolve) => {
    settle = resolve;
  });
  return { promise, resolve: (value) => settle?.(value) };
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
}
