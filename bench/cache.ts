// Caches: keeping and bringing back a folder like node_modules, against `tar | zstd -3` and back. Of 200 MB, or of as
// many as BURST_BENCH_CACHE_MB says.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CacheTask } from "./cache-child.ts";
import { runChild } from "./measured-child.ts";
import { makeModuleTree } from "./module-tree.ts";
import type { ModuleTree } from "./module-tree.ts";
import { inTurns, timed, timesOf } from "./rounds.ts";
import { milliseconds } from "./row.ts";
import type { Benchmark, Row } from "./row.ts";

export const cacheBenchmark: Benchmark = {
  name: "cache",
  async run({ quick, note }) {
    if (spawnSync("zstd", ["--version"], { stdio: "ignore" }).error !== undefined) {
      note("there is no zstd on this machine: nothing to compare with");
      return [];
    }
    const asked = Number(process.env["BURST_BENCH_CACHE_MB"] ?? "");
    const megabytes = asked > 0 ? asked : quick ? 20 : 200;
    const folder = await mkdtemp(join(tmpdir(), "burst-bench-"));
    try {
      const tree = await makeModuleTree(join(folder, "project"), megabytes);
      note(`${tree.files} files, ${megabytes} MB`);
      return await compare({ tree, folder, megabytes, rounds: quick ? 1 : 3 });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

interface Bench {
  readonly tree: ModuleTree;
  readonly folder: string;
  readonly megabytes: number;
  readonly rounds: number;
}

interface Measured {
  readonly milliseconds: number;
  readonly memory?: number;
}

async function compare(bench: Bench): Promise<readonly Row[]> {
  const { folder, rounds } = bench;
  const archive = join(folder, "theirs.tar.zst");
  const { project } = bench.tree;
  const keep = async (format: CacheTask["format"]) => {
    await rm(join(folder, "cache", format), { recursive: true, force: true });
    return await child({ kind: "save", project, folder: join(folder, "cache"), format });
  };
  const bring = async (format: CacheTask["format"]) => {
    const into = await emptied(join(folder, "ours"));
    const took = await child({
      kind: "restore",
      project: into,
      folder: join(folder, "cache"),
      format,
    });
    checkTree(bench, into);
    return took;
  };
  const kept = await inTurns(
    rounds,
    () => keep("tarzstd"),
    () => bare(`tar -cf - -C ${project} node_modules | zstd -3 -q -f -o ${archive}`),
  );
  const brought = await inTurns(
    rounds,
    () => bring("tarzstd"),
    async () => {
      const into = await emptied(join(folder, "theirs"));
      return await bare(`zstd -d -q -c ${archive} | tar -xf - -C ${into}`);
    },
  );
  const name = `a node_modules of ${bench.megabytes} MB`;
  const [packing, unpacking] = [bestOf(kept.theirs), bestOf(brought.theirs)];
  return [
    rowOf(`cache ${name}, as tarzstd`, kept.ours, packing, { atMost: 1.3 }),
    rowOf("  and brought back", brought.ours, unpacking, { atMost: 1.3 }),
    rowOf("  as zip, which jobs get unless they ask", [await keep("zip")], packing, undefined),
    rowOf("  and brought back", [await bring("zip")], unpacking, undefined),
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

async function child(task: CacheTask): Promise<Measured> {
  const { result, memory } = await runChild<number>("cache-child.ts", task);
  return { milliseconds: result, memory };
}

async function bare(commands: string): Promise<Measured> {
  const run = async () => execFileSync("sh", ["-c", `set -e; ${commands}`]);
  return { milliseconds: await timed(run) };
}

async function emptied(folder: string): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  return folder;
}

function checkTree({ tree }: Bench, into: string): void {
  const same = spawnSync("diff", ["-r", "--no-dereference", tree.project, into]);
  if (same.status !== 0) throw new Error("what came back is not what was kept");
}
