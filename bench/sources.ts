// get_sources against git by hand, for the same job from the same stand-in: a first clone, and a second fetch into
// the folder of the first. Both ends run the same git; what differs is what is done around it.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { request } from "undici";
import type { StandIn } from "../src/stand-in/stand-in.ts";
import { openGitLab } from "./burst-run.ts";
import { logText } from "./log-text.ts";
import { runChild } from "./measured-child.ts";
import { inTurns, timesOf } from "./rounds.ts";
import { milliseconds } from "./row.ts";
import type { Benchmark, Row } from "./row.ts";
import type { SourcesTask } from "./sources-child.ts";

const folders = 60;
/** Of every so many files one is changed between the first clone and the second fetch. */
const changedPart = 30;

export const sourcesBenchmark: Benchmark = {
  name: "sources",
  async run({ quick }) {
    const count = quick ? 600 : 3000;
    const home = await mkdtemp(join(tmpdir(), "burst-bench-"));
    const gitlab = await openGitLab();
    try {
      const folder = join(home, "project");
      await writeSources(folder, count, 0);
      const { id } = await gitlab.addProject(folder);
      const rounds = quick ? 2 : 6;
      const first = await claimJob(gitlab, id);
      const clones = await inTurns(
        rounds,
        (round) => fetchSources("agent", first, join(home, `ours-${round}`)),
        (round) => fetchSources("git", first, join(home, `theirs-${round}`)),
      );
      await writeSources(folder, count, 1);
      await gitlab.commitFolder(id);
      const second = await claimJob(gitlab, id);
      const fetches = await inTurns(
        rounds,
        (round) => fetchSources("agent", second, join(home, `ours-${round}`)),
        (round) => fetchSources("git", second, join(home, `theirs-${round}`)),
      );
      return [
        rowOf(`get_sources, first clone of ${count} files`, clones),
        rowOf(`get_sources, second fetch, ${count / changedPart} files changed`, fetches),
      ];
    } finally {
      await gitlab.close();
      await rm(home, { recursive: true, force: true });
    }
  },
};

interface Measured {
  readonly milliseconds: number;
  readonly memory: number;
}

function rowOf(
  name: string,
  results: { readonly ours: readonly Measured[]; readonly theirs: readonly Measured[] },
): Row {
  const best = (of: readonly Measured[]) => timesOf(of.map((each) => each.milliseconds)).best;
  const [measured, baseline] = [best(results.ours), best(results.theirs)];
  return {
    name,
    measured: milliseconds(measured),
    baseline: milliseconds(baseline),
    ratio: measured / baseline,
    aim: { atMost: 1.1 },
    memory: Math.max(...results.ours.map(({ memory }) => memory)),
  };
}

/** Source files of 1 to 9 KB; in a later `version` some are different. */
async function writeSources(folder: string, count: number, version: number): Promise<void> {
  const text = logText(400_000);
  for (let i = 0; i < folders; i++) await mkdir(join(folder, `d${i}`), { recursive: true });
  for (let i = 0; i < count; i++) {
    if (version > 0 && i % changedPart !== 0) continue;
    const from = ((i + version * 31) * 104_729) % (text.length - 9000);
    const length = 1000 + ((i * 7919) % 8000);
    const path = join(folder, `d${i % folders}`, `file-${i}.txt`);
    await writeFile(path, text.subarray(from, from + length));
  }
}

/** A job of the project, as GitLab hands it to a runner. It runs until the stand-in is closed. */
async function claimJob(gitlab: StandIn, project: number): Promise<string> {
  await gitlab.enqueue({ project, name: "sources" });
  const reply = await request(`${gitlab.url}/api/v4/jobs/request`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token: gitlab.runnerToken }),
  });
  if (reply.statusCode !== 201) throw new Error(`no job: HTTP ${reply.statusCode}`);
  return await reply.body.text();
}

async function fetchSources(
  how: SourcesTask["how"],
  job: string,
  folder: string,
): Promise<Measured> {
  const task: SourcesTask = { how, job, folder };
  const { result, memory } = await runChild<number>("sources-child.ts", task);
  return { milliseconds: result, memory };
}
