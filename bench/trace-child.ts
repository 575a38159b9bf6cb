// One reading of what `cat` puts into a FIFO, in a process of its own: by the agent's own parts up to the spool, by
// a reader that only counts, or by another `cat`.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { constants, openSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { Socket } from "node:net";
import type { OnReadOpts, SocketConstructorOpts } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openJobContainer } from "../src/agent/job-container.ts";
import { openSpool } from "../src/agent/spool.ts";
import type { Spool } from "../src/agent/spool.ts";
import { openTrace } from "../src/agent/trace.ts";
import { maskText } from "../src/core/byte-filter.ts";
import { jobTokenPrefixes } from "../src/core/token-prefixes.ts";
import { secrets } from "./log-text.ts";
import { childTask, tellResult } from "./measured-child.ts";

export interface ReadTask {
  readonly how: "agent" | "reader" | "cat";
  /** The file that is printed. */
  readonly path: string;
  /** The text of boot.sh. */
  readonly boot: string;
}

export interface TraceResult {
  readonly milliseconds: number;
  /** Of what arrived, as far as it was looked at. */
  readonly bytes?: number | undefined;
  readonly lines?: number;
  /** Masked secrets. */
  readonly leaks?: number;
}

const chunkBytes = 64 * 1024;

async function readAsAgent(folder: string, task: ReadTask): Promise<TraceResult> {
  const spool = openSpool(folder, (cause) => {
    throw cause;
  });
  const trace = openTrace(spool, () => undefined, {
    secrets,
    tokenPrefixes: jobTokenPrefixes([], true),
    timestamps: true,
    sections: true,
    limitBytes: 2 ** 40,
    now: Date.now,
  });
  const control = join(folder, "control");
  const opening = openJobContainer(control, (bytes) => trace.output.write(bytes));
  const boot = spawn("/bin/sh", ["-c", task.boot, "burst-boot"], {
    env: { PATH: process.env["PATH"], BURST_CONTROL: control, BURST_COOKIE: "bench" },
    cwd: folder,
    stdio: "ignore",
    detached: true,
  });
  const container = await opening;
  await container.state;
  const begin = performance.now();
  const exit = await container.run(`cat '${task.path}'`);
  trace.output.flush();
  const milliseconds = performance.now() - begin;
  if (exit.kind !== "exit" || exit.status !== 0) throw new Error("cat has failed");
  await container.quit(1);
  if (boot.exitCode === null) await once(boot, "exit");
  return { milliseconds, bytes: spool.size, ...count(spool) };
}

/** Newlines, and masks; a secret that is still there is an error. */
function count(spool: Spool): { readonly lines: number; readonly leaks: number } {
  let [lines, leaks, offset] = [0, 0, 0];
  let rest = Buffer.alloc(0);
  while (offset < spool.size) {
    const bytes = spool.read(offset, 1024 * 1024);
    offset += bytes.length;
    const text = Buffer.concat([rest, bytes]);
    const end = text.lastIndexOf("\n") + 1;
    const whole = text.subarray(0, end);
    lines += times(whole, "\n");
    leaks += times(whole, maskText);
    // Every secret everywhere would take longer than the benchmark.
    if (offset < 16e6 && secrets.some((secret) => whole.includes(secret))) {
      throw new Error("a secret has passed the filters");
    }
    rest = Buffer.from(text.subarray(end));
  }
  return { lines, leaks };
}

function times(bytes: Buffer, text: string): number {
  let found = 0;
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) found++;
  return found;
}

/** Opened and read as the agent does it. */
async function readAndCount(fifo: string, task: ReadTask): Promise<number> {
  let bytes = 0;
  const buffer = Buffer.allocUnsafe(chunkBytes);
  const options: SocketConstructorOpts & { onread: OnReadOpts } = {
    fd: openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK),
    writable: false,
    onread: {
      buffer,
      callback: (size) => {
        bytes += size;
        return true;
      },
    },
  };
  const socket = new Socket(options);
  socket.resume();
  const cat = spawn("sh", ["-c", 'cat "$0" > "$1"', task.path, fifo], { stdio: "ignore" });
  await Promise.all([once(socket, "end"), once(cat, "exit")]);
  return bytes;
}

async function readByCat(fifo: string, task: ReadTask): Promise<undefined> {
  const script = 'cat "$0" > "$1" & cat "$1" > /dev/null; wait';
  const child = spawn("sh", ["-c", script, task.path, fifo], { stdio: "ignore" });
  await once(child, "exit");
  return undefined;
}

async function readBare(folder: string, task: ReadTask): Promise<TraceResult> {
  const fifo = join(folder, "fifo");
  execFileSync("mkfifo", [fifo]);
  const begin = performance.now();
  const bytes = task.how === "cat" ? await readByCat(fifo, task) : await readAndCount(fifo, task);
  return { milliseconds: performance.now() - begin, bytes };
}

const task = childTask() as ReadTask;
const folder = await mkdtemp(join(tmpdir(), "burst-bench-"));
try {
  tellResult(await (task.how === "agent" ? readAsAgent(folder, task) : readBare(folder, task)));
} finally {
  await rm(folder, { recursive: true, force: true });
}
