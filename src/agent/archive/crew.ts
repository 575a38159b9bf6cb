// A few worker threads for the work that is fastest when done synchronously: many small files, in or out of an archive.
// The workers' code is the text of functions that close over nothing, not a file: so it is the same whether we run
// from TypeScript, from dist or from a single bundle, and a worker is up in 50 ms without a loader.

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { compressFiles } from "./compress-files.ts";
import type { CompressedBatch, CompressTask } from "./compress-files.ts";
import { extractFiles } from "./extract-files.ts";
import type { ExtractTask, Extraction } from "./extract-files.ts";
import { projectTree } from "./project-tree.ts";
import { readFiles } from "./read-files.ts";
import type { ReadTask } from "./read-files.ts";
import { tarFiles } from "./tar-files.ts";
import type { TarBatch } from "./tar-files.ts";
import { tarRecords } from "./tar-records.ts";
import { zipRecords } from "./zip-records.ts";

export interface Duties {
  readonly compress: { readonly task: CompressTask; readonly result: CompressedBatch };
  readonly tar: { readonly task: ReadTask; readonly result: TarBatch };
  readonly extract: { readonly task: ExtractTask; readonly result: Extraction };
}

export interface Crew {
  /** How many pieces of work keep every worker busy. */
  readonly width: number;
  work<Duty extends keyof Duties>(
    duty: Duty,
    task: Duties[Duty]["task"],
  ): Promise<Duties[Duty]["result"]>;
  close(): Promise<void>;
}

type Reply =
  | { readonly kind: "done"; readonly result: unknown }
  | { readonly kind: "failed"; readonly message: string; readonly code: string | undefined };

interface Job {
  readonly duty: keyof Duties;
  readonly task: unknown;
  readonly settle: (reply: Reply) => void;
}

/**
 * esbuild (and so tsx) may keep the names of nested functions with a helper of its own, `__name` or, minified,
 * anything; the text of a function calls it without having it. So ask a function how it is called.
 */
function nameKeeper(): string {
  const probe = (): unknown => {
    // oxlint-disable-next-line unicorn/consistent-function-scoping -- it is the nested function that is asked about
    function inner(): void {}
    return inner;
  };
  return /([\w$]+)\([\w$]+,\s*"inner"\)/.exec(String(probe))?.[1] ?? "unused";
}

const workerSource = `"use strict";
const ${nameKeeper()} = (value) => value;
const { parentPort } = require("node:worker_threads");
const node = { fs: require("node:fs"), zlib: require("node:zlib") };
const tree = ${String(projectTree)};
const read = ${String(readFiles)};
const records = (${String(zipRecords)})();
const tarRecords = (${String(tarRecords)})();
const duties = {
  compress: (task) => (${String(compressFiles)})(node, tree, read, records, task),
  tar: (task) => (${String(tarFiles)})(node, tree, read, tarRecords, task),
  extract: (task) => (${String(extractFiles)})(node, tree, task),
};
parentPort.on("message", ({ duty, task }) => {
  try {
    const result = duties[duty](task);
    parentPort.postMessage({ kind: "done", result }, result.bytes ? [result.bytes.buffer] : []);
  } catch (error) {
    parentPort.postMessage({ kind: "failed", message: error.message, code: error.code });
  }
});`;

export function startCrew(size = Math.min(availableParallelism(), 4)): Crew {
  const idle: Worker[] = [];
  const waiting: Job[] = [];
  const busy = new Map<Worker, Job>();
  let closed = false;

  function settle(worker: Worker, reply: Reply): void {
    const job = busy.get(worker);
    busy.delete(worker);
    job?.settle(reply);
  }

  function hire(): Worker {
    const worker = new Worker(workerSource, { eval: true, execArgv: [] });
    worker.on("message", (reply: Reply) => {
      settle(worker, reply);
      idle.push(worker);
      assign();
    });
    worker.on("error", (error) => {
      settle(worker, { kind: "failed", message: error.message, code: undefined });
    });
    worker.on("exit", (status) => {
      settle(worker, { kind: "failed", message: `a worker ended (${status})`, code: undefined });
    });
    return worker;
  }

  function assign(): void {
    if (closed) return;
    while (waiting.length > 0) {
      const worker = idle.pop() ?? (busy.size < size ? hire() : undefined);
      const job = worker === undefined ? undefined : waiting.shift();
      if (worker === undefined || job === undefined) return;
      busy.set(worker, job);
      worker.postMessage({ duty: job.duty, task: job.task }, []);
    }
  }

  return {
    width: size * 2,
    work(duty, task) {
      return new Promise((resolve, reject) => {
        const settle = (reply: Reply): void => {
          // The worker runs the very function whose result type this is.
          if (reply.kind === "done") resolve(reply.result as Duties[typeof duty]["result"]);
          else reject(Object.assign(new Error(reply.message), { code: reply.code }));
        };
        waiting.push({ duty, task, settle });
        assign();
      });
    },
    async close() {
      closed = true;
      for (const job of waiting.splice(0)) {
        job.settle({ kind: "failed", message: "the archive was given up", code: undefined });
      }
      await Promise.all([...idle, ...busy.keys()].map((worker) => worker.terminate()));
    },
  };
}
