// The agent's view of the job's container (or child process): run a stage's script there, hear how
// it ended, cancel it. Talks to boot.sh over the three FIFOs and always drains the output.

import { randomBytes } from "node:crypto";
import { closeSync, writeSync } from "node:fs";
import { mkdir, open, rm } from "node:fs/promises";
import { Socket } from "node:net";
import type { OnReadOpts, SocketConstructorOpts } from "node:net";
import { dirname, join } from "node:path";
import { makeControlFiles } from "./control-files.ts";
import { createStageOutput } from "./stage-output.ts";

/** How a stage's shell ended: with a status, or its container went away under it. */
export type StageExit =
  | { readonly kind: "exit"; readonly status: number }
  | { readonly kind: "gone" };

export type ContainerState =
  | {
      readonly kind: "up";
      readonly uid: string;
      readonly shell: string;
      /** Names that the agent has for this job are not known in there. */
      readonly unnamed?: true;
    }
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

interface Stage {
  readonly nonce: string;
  /** Boot owes an answer, for so many checks. */
  asked: boolean;
  silences: number;
  readonly exit: (status: number) => void;
  readonly lose: () => void;
}

/** As a shell tells of a command that was killed. */
const killedStatus = 137;
const checkMilliseconds = 5000;
/** So many checks in a row: boot is slow to answer only while it stops what will not stop. */
const longestSilence = 6;
/** How long output that is still in the pipe may take, where no mark says that it is over. */
const drainMilliseconds = 300;

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
  let settled = false;
  void state.then(() => {
    settled = true;
  });
  /** The one under way. */
  let stage: Stage | undefined;
  let closed = false;

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
      const [verb, first = "", second = "", third] = line.split(" ");
      if (verb === "up") {
        const unnamed = third === "unnamed" ? ({ unnamed: true } as const) : {};
        settleState({ kind: "up", uid: first, shell: second, ...unnamed });
      }
      if (stage === undefined || first !== stage.nonce) continue;
      if (verb === "exit" && /^\d{1,3}$/.test(second)) stage.exit(Number(second));
      if (verb !== "waits" && verb !== "lost") continue;
      stage.asked = false;
      stage.silences = 0;
      if (verb === "lost") stage.lose();
    }
  });
  const onGone = () => {
    settleState({ kind: "gone" });
    settleGone();
  };
  eventSocket.on("end", onGone);
  eventSocket.on("error", onGone);
  outSocket.on("error", onGone);

  /** Whether boot may still hear it: a full pipe is one that nobody reads any more. */
  const command = (line: string): boolean => {
    if (closed) return false;
    try {
      // In a line of its own, whatever the job may have written there.
      writeSync(files.cmd, `\n${line}\n`);
      return true;
    } catch (cause) {
      if (cause instanceof Error && "code" in cause && cause.code === "EAGAIN") return false;
      throw cause;
    }
  };

  /** A job may kill what waits for its stage; then nobody tells us unasked. Or stop whom we ask. */
  const check = () => {
    if (stage === undefined) return;
    if (stage.asked) stage.silences++;
    else stage.asked = command(`check ${stage.nonce}`);
    if (stage.silences >= longestSilence) settleGone();
  };

  const close = () => {
    closed = true;
    outSocket.destroy();
    eventSocket.destroy();
    closeSync(files.cmd);
  };

  return {
    state,
    async run(program) {
      const nonce = randomBytes(16).toString("hex");
      // The script can see this name, and shall not tell of its own end by it.
      const path = join(folder, `stage-${randomBytes(16).toString("hex")}`);
      await writeProgram(path, program);
      const ended = deferred<number>();
      const lost = deferred<void>();
      stage = { nonce, asked: false, silences: 0, exit: ended.resolve, lose: () => lost.resolve() };
      const drained = output.expect(nonce);
      const checks = setInterval(check, checkMilliseconds);
      const exit = command(`run ${nonce} ${path}`)
        ? await Promise.race([
            Promise.all([ended.promise, drained]).then(([status]) => exitOf(status)),
            lost.promise.then(async () => {
              // What is left of it shall not run beside what comes next.
              command("cancel 0");
              await delay(drainMilliseconds);
              return exitOf(killedStatus);
            }),
            gone.then(async (): Promise<StageExit> => {
              await delay(drainMilliseconds);
              return { kind: "gone" };
            }),
          ])
        : ({ kind: "gone" } as const);
      clearInterval(checks);
      if (stage?.nonce === nonce) stage = undefined;
      output.flush();
      await rm(path, { force: true }).catch(() => {
        // The job has put something else in the folder's place. All of it goes with the job.
      });
      return exit;
    },
    cancel(graceSeconds) {
      command(`cancel ${graceSeconds}`);
    },
    async quit(graceSeconds) {
      // A boot that never came up has nothing to end, and would be waited for in vain.
      if (!settled) return close();
      command(`quit ${graceSeconds}`);
      await Promise.race([gone, delay((graceSeconds + 10) * 1000)]);
      close();
    },
    abandon: close,
  };
}

/** The script, where boot finds it and every user of the job's image can read it. */
async function writeProgram(path: string, program: string): Promise<void> {
  // The folder guards it from others. A job that has removed it gets it anew.
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(program);
    await file.chmod(0o644);
  } finally {
    await file.close();
  }
}

function exitOf(status: number): StageExit {
  return { kind: "exit", status };
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
