// `burst demo DIR…`: a stand-in for GitLab and our own runner, together on this machine. Every folder becomes
// a project, its pipeline runs, and its traces are shown as they come.

import { copyFile, mkdir, rm } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { Command } from "commander";
import { Secret } from "../core/secret.ts";
import { defaultSettings } from "../core/settings.ts";
import { startStandIn } from "../stand-in/start.ts";
import type { StandIn } from "../stand-in/stand-in.ts";
import type { JobView } from "../stand-in/views.ts";
import { missingFor } from "./demo/needs.ts";
import { createScreen } from "./demo/screen.ts";
import type { Screen } from "./demo/screen.ts";
import { exitCodes, reportFailure } from "./exit.ts";
import { runLocally } from "./local-runner.ts";
import { packageVersion } from "./package-version.ts";
import { listenForSignals } from "./two-signals.ts";

interface Tally {
  passed: number;
  failed: number;
  jobs: number;
  readonly notRun: string[];
}

const stateDir = ".burst/demo";
const longestDemoMs = 60 * 60_000;

export function demoCommand(): Command {
  return new Command("demo")
    .description("run the pipelines of folders here: a stand-in for GitLab and a runner in one")
    .argument("<dir...>", "folders with a .gitlab-ci.yml")
    .action(async (folders: readonly string[]) => {
      try {
        await demo(folders);
      } catch (cause) {
        reportFailure(cause);
      }
    });
}

async function demo(folders: readonly string[]): Promise<void> {
  const coloured = process.env["NO_COLOR"] === undefined && wantsColour();
  const screen = createScreen((text) => process.stdout.write(text), coloured);
  const tally: Tally = { passed: 0, failed: 0, jobs: 0, notRun: [] };
  const gitlab = await startStandIn({ watched: true, longPollSeconds: 50 });
  const over = new AbortController();
  const signals = listenForSignals(
    () => over.abort(),
    () => undefined,
  );
  screen.say(
    `A stand-in for GitLab at ${gitlab.url}, and gitlab-burst ${packageVersion()} with the process executor.`,
  );
  const runner = startRunner(gitlab, over.signal, signals.interrupt);
  const show = follow(gitlab, screen);
  try {
    for (const folder of folders) {
      if (over.signal.aborted) break;
      await Promise.race([runProject(gitlab, screen, folder, tally), runner]);
      await show.drained();
    }
  } finally {
    over.abort();
    show.end();
    // The runner's long poll ends with its server.
    await gitlab.close();
    await runner;
    signals.release();
  }
  conclude(screen, tally);
}

function startRunner(gitlab: StandIn, stop: AbortSignal, interrupt: AbortSignal): Promise<void> {
  return runLocally({
    url: gitlab.url,
    token: new Secret(gitlab.runnerToken),
    settings: defaultSettings(),
    rawSettings: {},
    version: packageVersion(),
    name: "demo",
    executor: "process",
    concurrent: 1,
    maxJobs: Number.POSITIVE_INFINITY,
    stateDir,
    buildsDir: join(stateDir, "builds"),
    cacheDir: join(stateDir, "cache"),
    stop,
    interrupt,
    onEvent: () => undefined,
    onDiagnostic: (text) => {
      // Once told to stop, the stand-in's end is no news.
      if (!stop.aborted) process.stderr.write(`burst: ${text.trimEnd()}\n`);
    },
  });
}

async function runProject(
  gitlab: StandIn,
  screen: Screen,
  folder: string,
  tally: Tally,
): Promise<void> {
  const name = basename(resolve(folder));
  const missing = missingFor(folder);
  if (missing !== undefined) {
    tally.notRun.push(`${name}: ${missing}`);
    screen.say(`\n${name}  not run here: ${missing}`);
    return;
  }
  const project = await gitlab.addProject(folder);
  const created = await gitlab.createPipeline(project.id);
  if (created.kind === "invalid") {
    tally.failed++;
    screen.say(`\n${name}  no pipeline:`);
    for (const error of created.errors) screen.say(`  ${error}`);
    return;
  }
  for (const warning of created.warnings) screen.say(`  ${name}: ${warning}`);
  screen.pipeline(created.pipeline);
  const pipeline = await gitlab.waitForPipeline(created.pipeline.id, longestDemoMs);
  tally.jobs += pipeline.jobs.filter((job) => job.startedAt !== undefined).length;
  if (pipeline.status === "success") tally.passed++;
  else tally.failed++;
}

/** Shows every trace as it comes, and each job's end when its artifacts have been put aside. */
function follow(gitlab: StandIn, screen: Screen): { drained(): Promise<void>; end(): void } {
  let shown: Promise<void> = Promise.resolve();
  const end = gitlab.listen((event) => {
    if (event.kind === "trace") {
      const { id, spec } = event.job;
      screen.trace({ id, name: spec.name, stage: spec.stage }, event.bytes);
    }
    if (event.kind !== "job" || event.job.startedAt === undefined) return;
    if (!["success", "failed", "canceled"].includes(event.status)) return;
    const job = gitlab.job(event.job.id);
    shown = shown.then(async () => screen.jobEnd(job, await keepArtifacts(job)));
  });
  return { drained: () => shown, end };
}

/** The stand-in's own copies end with it. */
async function keepArtifacts(job: JobView): Promise<readonly string[]> {
  const folder = join(stateDir, basename(job.project), job.name.replaceAll(/[^\w.-]+/g, "-"));
  await rm(folder, { recursive: true, force: true });
  const places: string[] = [];
  for (const artifact of job.artifacts) {
    // GitLab's own: the index of an archive, nothing a reader would open.
    if (artifact.type === "metadata") continue;
    await mkdir(folder, { recursive: true });
    const place = join(folder, artifact.filename);
    await copyFile(artifact.file, place);
    places.push(place);
  }
  return places;
}

function conclude(screen: Screen, tally: Tally): void {
  const { passed, failed, jobs, notRun } = tally;
  screen.say("");
  for (const reason of notRun) screen.say(`not run: ${reason}`);
  const skipped = notRun.length === 0 ? "" : `, ${notRun.length} not run`;
  screen.say(`${passed} pipelines passed (${jobs} jobs), ${failed} failed${skipped}`);
  process.exitCode = failed === 0 && passed > 0 ? exitCodes.done : exitCodes.failed;
}

function wantsColour(): boolean {
  return process.stdout.isTTY || (process.env["FORCE_COLOR"] ?? "0") !== "0";
}
