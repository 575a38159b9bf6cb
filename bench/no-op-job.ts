// A job that does nothing, from its enqueuing to its final state: what the runner adds to `sh -c true` and the
// HTTP calls. And where the time goes, as its own trace tells: every line of it has the time it was written.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { RawJob } from "../src/stand-in/raw-job.ts";
import type { StandIn } from "../src/stand-in/stand-in.ts";
import type { JobView } from "../src/stand-in/views.ts";
import { bareCalls } from "./bare-calls.ts";
import { builtPackage } from "./built.ts";
import { fromPackage, fromSource, openGitLab, startBurstRun } from "./burst-run.ts";
import type { BurstRun } from "./burst-run.ts";
import { inTurns, timesOf } from "./rounds.ts";
import { milliseconds } from "./row.ts";
import type { Benchmark, BenchmarkOptions, Row } from "./row.ts";
import { stampedLines } from "./stamped-lines.ts";

const fetching: RawJob = { name: "no-op", script: ["true"] };
const withoutSources: RawJob = { ...fetching, variables: { GIT_STRATEGY: "none" } };

export const noOpJob: Benchmark = {
  name: "no-op",
  async run(options) {
    const dist = builtPackage(options.note);
    const rounds = options.quick ? 3 : 11;
    const rows: Row[] = [];
    const cases = [
      ["no-op job", fromPackage(dist), fetching, rounds],
      ["no-op job, no sources", fromPackage(dist), withoutSources, rounds],
      ["no-op job, from source by tsx", fromSource, fetching, Math.ceil(rounds / 3)],
    ] as const;
    for (const [name, program, raw, times] of cases) {
      rows.push(await measure({ name, program, raw, rounds: times, options }));
    }
    tellStarts(dist, rounds, options);
    return rows;
  },
};

async function measure(input: {
  readonly name: string;
  readonly program: readonly string[];
  readonly raw: RawJob;
  readonly rounds: number;
  readonly options: BenchmarkOptions;
}): Promise<Row> {
  const { raw, rounds, options } = input;
  const burst = await startBurstRun({ program: input.program });
  const bareGitLab = await openGitLab();
  const bare = bareCalls(bareGitLab);
  try {
    // The first one finds nothing warm: neither files nor projects.
    const { trace } = await oneJob(burst, raw);
    await bare.run(raw, trace);
    const { ours, theirs } = await inTurns(
      rounds,
      () => oneJob(burst, raw),
      () => bare.run(raw, trace),
    );
    const measured = timesOf(ours.map(({ took }) => took));
    const baseline = timesOf(theirs);
    const spans =
      ours.find(({ took }) => took === measured.best)?.spans ?? new Map<string, number>();
    options.note(`${input.name}, of the best job: ${spanText(spans)}`);
    options.note(
      `${input.name}, median: ${milliseconds(measured.median)}, bare ${milliseconds(baseline.median)}`,
    );
    return {
      name: input.name,
      measured: milliseconds(measured.best),
      baseline: milliseconds(baseline.best),
      ratio: measured.best / baseline.best,
      aim: undefined,
      memory: burst.memory.agent,
    };
  } finally {
    await bare.close();
    await burst.close();
    await bareGitLab.close();
  }
}

async function oneJob(burst: BurstRun, raw: RawJob) {
  const { job, enqueuedAt, finishedAt } = await burst.run(raw);
  const freeAt = await burst.event(job.id, "success");
  const spans = spansOf(burst.gitlab, job, { enqueuedAt, finishedAt, freeAt });
  return { took: finishedAt - enqueuedAt, trace: job.trace(), spans };
}

type Spans = ReadonlyMap<string, number>;

/** What lies between two points of the job's life, in milliseconds. */
function spansOf(
  gitlab: StandIn,
  job: JobView,
  at: { readonly enqueuedAt: number; readonly finishedAt: number; readonly freeAt: number },
): Spans {
  const calls = gitlab.requests().filter(({ path }) => path.startsWith(`/api/v4/jobs/${job.id}`));
  const arrived = (method: string) => calls.find((call) => call.method === method)?.at;
  const lines = stampedLines(job.trace());
  const line = (text: string) => lines.find((candidate) => candidate.text.includes(text))?.at;
  const points: readonly [string, number | undefined][] = [
    ["", at.enqueuedAt],
    ["claim", job.startedAt],
    ["PUT running", arrived("PUT")],
    ["start of the agent", lines[0]?.at],
    ["boot", line("Preparing environment")],
    ["file variables", line("Getting source")],
    ["get_sources", line("Executing")],
    ["script", line("Cleaning up")],
    ["end of boot", lines.at(-1)?.at],
    ["to PATCH", arrived("PATCH")],
    ["to the final PUT", at.finishedAt],
    ["(then until the runner is free)", at.freeAt],
  ];
  const spans = new Map<string, number>();
  let last = at.enqueuedAt;
  for (const [name, point] of points) {
    if (point === undefined || name === "") continue;
    spans.set(name, point - last);
    last = point;
  }
  return spans;
}

function spanText(spans: Spans): string {
  return [...spans].map(([name, span]) => `${name} ${span.toFixed(0)}`).join(", ");
}

/** How long Node and our modules take to come up, by themselves. */
function tellStarts(dist: string, rounds: number, options: BenchmarkOptions): void {
  const start = (args: readonly string[]) => {
    const times = Array.from({ length: rounds }, () => {
      const begin = performance.now();
      spawnSync(process.execPath, args, { input: "", stdio: ["pipe", "ignore", "ignore"] });
      return performance.now() - begin;
    });
    return milliseconds(timesOf(times).best);
  };
  options.note(
    `node alone ${start(["-e", "0"])}; with the agent's modules ${start([join(dist, "agent/main.js")])}, ` +
      `as one bundle ${start([join(dist, "bundles/agent.mjs")])}`,
  );
}
