// Artifacts: choosing, packing and uploading 20,000 small files and one file of 500 MB against `zip -1` and a bare
// upload of what it made; and unpacking them against `unzip`.

import { execFileSync, spawnSync } from "node:child_process";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeLargeFile, makeSmallFiles } from "./artifact-files.ts";
import type { ArtifactTask } from "./artifacts-child.ts";
import { runChild } from "./measured-child.ts";
import { inTurns, timed, timesOf } from "./rounds.ts";
import { milliseconds } from "./row.ts";
import type { Benchmark, BenchmarkOptions, Row } from "./row.ts";
import { post, startUploadServer } from "./upload-server.ts";
import type { UploadServer } from "./upload-server.ts";

export const artifactsBenchmark: Benchmark = {
  name: "artifacts",
  async run(options) {
    if (spawnSync("zip", ["-v"], { stdio: "ignore" }).error !== undefined) {
      options.note("there is no zip on this machine: nothing to compare with");
      return [];
    }
    const folder = await mkdtemp(join(tmpdir(), "burst-bench-"));
    const server = await startUploadServer();
    try {
      const { quick } = options;
      const [count, megabytes] = quick ? [2000, 50] : [20_000, 500];
      const small = await makeSmallFiles(join(folder, "small"), count);
      const large = await makeLargeFile(join(folder, "large"), megabytes);
      const cases = [
        { name: `${count} small files`, project: small, files: count, rounds: quick ? 1 : 3 },
        { name: `one file of ${megabytes} MB`, project: large, files: 1, rounds: 1 },
      ];
      const rows: Row[] = [];
      for (const each of cases) rows.push(...(await compare(each, { folder, server, options })));
      return rows;
    } finally {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

interface Case {
  readonly name: string;
  readonly project: string;
  readonly files: number;
  readonly rounds: number;
}

interface Bench {
  readonly folder: string;
  readonly server: UploadServer;
  readonly options: BenchmarkOptions;
}

interface Measured {
  readonly milliseconds: number;
  readonly memory?: number;
}

async function compare(each: Case, bench: Bench): Promise<readonly Row[]> {
  const { project, files, rounds } = each;
  const zip = join(bench.folder, "theirs.zip");
  const scratch = join(bench.folder, "scratch");
  const upload = bench.server.url;
  const packed = async (work: () => Promise<Measured>) => {
    const measured = await work();
    if (bench.server.lastZipEntries() < files) throw new Error("the uploaded zip is not whole");
    return measured;
  };
  const pack = (level: "fast" | "default") =>
    packed(() => child({ kind: "pack", project, scratch, level, upload }));

  const out = await inTurns(
    rounds,
    () => pack("fast"),
    () => packed(() => zipAndPost(project, zip, upload)),
  );
  const usual = await pack("default");
  const back = await inTurns(
    rounds,
    () => unpackOnce(zip, join(bench.folder, "ours")),
    () => unzipOnce(zip, join(bench.folder, "theirs")),
  );
  const theirs = bestOf(out.theirs);
  return [
    rowOf(`zip and upload ${each.name}`, out.ours, theirs, { atMost: 2 }),
    rowOf("  at the level jobs usually have", [usual], theirs, undefined),
    rowOf("  and unpacked, against unzip", back.ours, bestOf(back.theirs), undefined),
  ];
}

function rowOf(name: string, ours: readonly Measured[], baseline: number, aim: Row["aim"]): Row {
  const measured = bestOf(ours);
  return {
    name,
    measured: milliseconds(measured),
    baseline: milliseconds(baseline),
    ratio: measured / baseline,
    aim,
    memory: Math.max(...ours.map(({ memory }) => memory ?? 0)),
  };
}

function bestOf(results: readonly Measured[]): number {
  return timesOf(results.map((result) => result.milliseconds)).best;
}

async function child(task: ArtifactTask): Promise<Measured> {
  const { result, memory } = await runChild<number>("artifacts-child.ts", task);
  return { milliseconds: result, memory };
}

async function zipAndPost(project: string, zip: string, url: string): Promise<Measured> {
  await rm(zip, { force: true });
  const took = await timed(async () => {
    execFileSync("zip", ["-q", "-1", "-r", zip, "out"], { cwd: project });
    await post(url, createReadStream(zip));
  });
  return { milliseconds: took };
}

async function unzipOnce(zip: string, into: string): Promise<Measured> {
  await rm(into, { recursive: true, force: true });
  const took = await timed(async () => execFileSync("unzip", ["-q", zip, "-d", into]));
  return { milliseconds: took };
}

async function unpackOnce(zip: string, into: string): Promise<Measured> {
  await rm(into, { recursive: true, force: true });
  await mkdir(into);
  return await child({ kind: "unpack", zip, into });
}
