// A job in containers, against `docker run` of the same image: what three containers' worth of runner adds, and how
// soon after its container runs a script prints its first line.

import { spawnSync } from "node:child_process";
import { packageVersion } from "../src/cli/package-version.ts";
import { defaultLayerFolder } from "../src/local/agent-image/debian-layer.ts";
import { agentImageName, ensureAgentImage } from "../src/local/agent-image/ensure-agent-image.ts";
import { connectEngine } from "../src/local/docker/engine.ts";
import type { Engine } from "../src/local/docker/engine.ts";
import type { RawJob } from "../src/stand-in/raw-job.ts";
import { builtPackage } from "./built.ts";
import { fromPackage, startBurstRun } from "./burst-run.ts";
import type { BurstRun } from "./burst-run.ts";
import { inTurns, timed, timesOf } from "./rounds.ts";
import { milliseconds } from "./row.ts";
import type { Benchmark, BenchmarkOptions, Row } from "./row.ts";
import { stampedLines } from "./stamped-lines.ts";

const image = "busybox:latest";
const firstLine = "the first line";
/** From the start of the job's container to its script's first line. */
const startAimMs = 300;

const noOp: RawJob = { name: "no-op", script: ["true"], payload: { image: { name: image } } };
const printing: RawJob = {
  ...noOp,
  script: [`echo ${firstLine}`],
  variables: { GIT_STRATEGY: "none" },
};

export const dockerJob: Benchmark = {
  name: "docker",
  async run(options) {
    const found = await findEngine(options);
    if (typeof found === "string") {
      options.note(`NO ROWS OF CONTAINERS: ${found}`);
      return [];
    }
    const dist = builtPackage(options.note);
    const rounds = options.quick ? 3 : 9;
    const burst = await startBurstRun({
      program: fromPackage(dist),
      settings: { pull_policy: "if-not-present" },
      flags: { executor: "docker", "agent-image": found.agentImage },
    });
    try {
      // The first one finds nothing warm.
      await burst.run(noOp);
      return [await wholeJob(burst, rounds), await firstScriptLine(burst, found.engine, rounds)];
    } finally {
      await burst.close();
    }
  },
};

/** Or what is missing. */
async function findEngine({
  note,
}: BenchmarkOptions): Promise<{ readonly engine: Engine; readonly agentImage: string } | string> {
  const cannot = bareRun();
  if (cannot !== undefined) {
    return `\`docker run --rm ${image} true\` does not work here (DOCKER_HOST, npm run test-images): ${cannot}`;
  }
  const engine = await connectEngine(process.env);
  const agentImage = agentImageName(packageVersion());
  const layerFolder = defaultLayerFolder(process.env);
  const sources = ["debian"] as const;
  const made = await ensureAgentImage(engine, {
    name: agentImage,
    sources,
    layerFolder,
    notice: note,
  });
  return made.kind === "ready" ? { engine, agentImage } : made.message.replaceAll("\n", " ");
}

/** What it said, where it failed. */
function bareRun(): string | undefined {
  const { status, stderr, error } = spawnSync(
    "docker",
    ["run", "--rm", "--pull", "never", image, "true"],
    { stdio: ["ignore", "ignore", "pipe"], encoding: "utf8" },
  );
  if (status === 0) return undefined;
  return error?.message ?? stderr.trim().replaceAll("\n", " ");
}

async function wholeJob(burst: BurstRun, rounds: number): Promise<Row> {
  const { ours, theirs } = await inTurns(
    rounds,
    async () => {
      const { job, enqueuedAt, finishedAt } = await burst.run(noOp);
      // Its containers are gone before the next round.
      await burst.event(job.id, "success");
      return finishedAt - enqueuedAt;
    },
    () =>
      timed(async () => {
        const cannot = bareRun();
        if (cannot !== undefined) throw new Error(`docker run has failed: ${cannot}`);
      }),
  );
  const [measured, baseline] = [timesOf(ours).median, timesOf(theirs).median];
  return {
    name: "no-op job on docker, and `docker run --rm`",
    measured: milliseconds(measured),
    baseline: milliseconds(baseline),
    ratio: measured / baseline,
    aim: undefined,
    memory: undefined,
  };
}

async function firstScriptLine(burst: BurstRun, engine: Engine, rounds: number): Promise<Row> {
  const starts = await watchStarts(engine);
  const times: number[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      const { job } = await burst.run(printing);
      await burst.event(job.id, "success");
      const started = starts.of(job.id);
      const printed = stampedLines(job.trace()).find(
        ({ text }) => text.endsWith(firstLine) && !text.includes("echo"),
      )?.at;
      if (printed === undefined || started === undefined) {
        throw new Error(`a start or the first line is missing:\n${job.trace().toString()}`);
      }
      times.push(printed - started);
    }
  } finally {
    starts.close();
  }
  const { median } = timesOf(times);
  return {
    name: "  its first script line after its container runs",
    measured: milliseconds(median),
    baseline: `${startAimMs} ms wanted`,
    ratio: median / startAimMs,
    aim: { atMost: 1 },
    memory: undefined,
  };
}

/** When the engine says that the containers of jobs run: by its clock, which is this machine's. */
async function watchStarts(engine: Engine) {
  const over = new AbortController();
  const events = await engine.getEvents({
    filters: { type: ["container"], event: ["start"] },
    abortSignal: over.signal,
  });
  const seen = new Map<number, number>();
  let text = "";
  events.on("error", () => undefined);
  events.on("data", (bytes: Buffer) => {
    const lines = (text + bytes.toString()).split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) {
      const { Actor, timeNano } = JSON.parse(line) as {
        readonly Actor: { readonly Attributes: Readonly<Record<string, string>> };
        readonly timeNano: number;
      };
      const [, jobId] = /^burst-(\d+)-\w+-job$/.exec(Actor.Attributes["name"] ?? "") ?? [];
      if (jobId !== undefined) seen.set(Number(jobId), timeNano / 1e6);
    }
  });
  return { of: (jobId: number) => seen.get(jobId), close: () => over.abort() };
}
