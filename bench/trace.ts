// What a job prints, on its way into the trace: from boot's FIFO through the container's reader and the filters
// (50 secrets) into the spool, against `cat` into the same FIFO with a reader that only counts. And what a job
// prints past its limit, with a whole runner around it.

import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtPackage, root } from "./built.ts";
import { fromPackage, startBurstRun } from "./burst-run.ts";
import { logText, secretOf } from "./log-text.ts";
import { runChild } from "./measured-child.ts";
import { inTurns, timesOf } from "./rounds.ts";
import { megabytes, rate } from "./row.ts";
import type { Benchmark, BenchmarkOptions, Row } from "./row.ts";
import type { ReadTask, TraceResult } from "./trace-child.ts";

const memoryAim = 150e6;

export const traceBenchmark: Benchmark = {
  name: "trace",
  async run(options) {
    const folder = await mkdtemp(join(tmpdir(), "burst-bench-"));
    try {
      const log = await writeLog(folder, options.quick ? 100e6 : 250e6);
      const flood = await writeLog(folder, options.quick ? 200e6 : 500e6);
      return [await throughTheFilters(log, options), await pastTheLimit(flood, options)];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

interface Log {
  readonly path: string;
  readonly bytes: number;
  readonly lines: number;
  /** How often a secret is in it. */
  readonly leaks: number;
}

const blockBytes = 4 * 1024 * 1024;
const linesPerLeak = 1000;

async function writeLog(folder: string, atLeastBytes: number): Promise<Log> {
  const block = logText(blockBytes, (line, number) =>
    number % linesPerLeak === 0 ? `${line}${secretOf(number / linesPerLeak)}` : line,
  );
  const lines = block.filter((byte) => byte === 0x0a).length;
  const times = Math.ceil(atLeastBytes / block.length);
  const path = join(folder, `${atLeastBytes}.log`);
  await writeFile(
    path,
    (function* blocks() {
      for (let time = 0; time < times; time++) yield block;
    })(),
  );
  return {
    path,
    bytes: block.length * times,
    lines: lines * times,
    leaks: Math.ceil(lines / linesPerLeak) * times,
  };
}

async function throughTheFilters(log: Log, options: BenchmarkOptions): Promise<Row> {
  const { ours, theirs } = await inTurns(
    options.quick ? 1 : 4,
    () => read("agent", log),
    () => read("reader", log),
  );
  const cat = await read("cat", log);
  const [measured, baseline] = [bestOf(ours), bestOf(theirs)];
  options.note(
    `${megabytes(log.bytes)} in ${log.lines} lines; where the reader is cat, too, ${rate(log.bytes, cat.milliseconds)}`,
  );
  return {
    name: "trace with 50 secrets",
    measured: rate(log.bytes, measured),
    baseline: rate(log.bytes, baseline),
    ratio: baseline / measured,
    aim: { atLeast: 0.3 },
    memory: Math.max(...ours.map(({ memory }) => memory)),
    memoryAim,
  };
}

/** By a whole runner, with the limit as it is where nobody sets one. */
async function pastTheLimit(log: Log, options: BenchmarkOptions): Promise<Row> {
  const burst = await startBurstRun({ program: fromPackage(builtPackage(options.note)) });
  try {
    const { ours, theirs } = await inTurns(
      options.quick ? 1 : 2,
      async () => {
        const { job } = await burst.run({ name: "flood", script: [`cat '${log.path}'`] });
        if (!job.trace().includes("Job's log exceeded limit")) {
          throw new Error("the trace does not say that it was cut");
        }
        const begin = await burst.event(job.id, "started");
        return { milliseconds: (await burst.event(job.id, "success")) - begin };
      },
      () => read("reader", log),
    );
    const [measured, baseline] = [bestOf(ours), bestOf(theirs)];
    return {
      name: `${megabytes(log.bytes)} printed, past the limit`,
      measured: rate(log.bytes, measured),
      baseline: rate(log.bytes, baseline),
      ratio: baseline / measured,
      aim: undefined,
      memory: burst.memory.agent,
      memoryAim,
    };
  } finally {
    await burst.close();
  }
}

async function read(
  how: ReadTask["how"],
  log: Log,
): Promise<{ readonly milliseconds: number; readonly memory: number }> {
  const boot = readFileSync(join(root, "src/agent/boot.sh"), "utf8");
  const task: ReadTask = { how, path: log.path, boot };
  const { result, memory } = await runChild<TraceResult>("trace-child.ts", task);
  const { bytes, lines, leaks } = result;
  const whole =
    how === "agent"
      ? lines === log.lines && leaks === log.leaks
      : bytes === undefined || bytes === log.bytes;
  if (!whole) {
    throw new Error(
      `trace, ${how}: ${bytes} bytes, ${lines} lines, ${leaks} masks; ` +
        `there were ${log.bytes} bytes, ${log.lines} lines, ${log.leaks} secrets`,
    );
  }
  return { milliseconds: result.milliseconds, memory };
}

function bestOf(results: readonly { readonly milliseconds: number }[]): number {
  return timesOf(results.map(({ milliseconds }) => milliseconds)).best;
}
