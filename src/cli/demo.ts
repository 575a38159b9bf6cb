// `burst demo DIR…`: a stand-in for GitLab and our own runner, together on this machine. Every folder becomes
// a project, its pipeline runs, and its traces are shown as they come.

import { copyFile, mkdir, rm } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { Command } from "commander";
import { SettingsError } from "../core/errors.ts";
import { Secret } from "../core/secret.ts";
import { parseSettings } from "../core/settings.ts";
import type { Settings } from "../core/settings.ts";
import { startStandIn } from "../stand-in/start.ts";
import type { StandIn } from "../stand-in/stand-in.ts";
import type { JobView, PipelineView } from "../stand-in/views.ts";
import { findContainers } from "./demo/containers.ts";
import type { Containers } from "./demo/containers.ts";
import { missingFor } from "./demo/needs.ts";
import { createScreen } from "./demo/screen.ts";
import type { Screen } from "./demo/screen.ts";
import { exitCodes, reportFailure } from "./exit.ts";
import { runLocally } from "./local-runner.ts";
import { packageVersion } from "./package-version.ts";
import { listenForSignals } from "./two-signals.ts";
import type { TwoSignals } from "./two-signals.ts";

interface Tally {
  passed: number;
  failed: number;
  jobs: number;
  readonly notRun: string[];
}

const stateDir = ".burst/demo";
const plainImage = "busybox:latest";
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
  const containers = await findContainers();
  const gitlab = await startReachable(containers?.address);
  const signals = listenForSignals(
    () => screen.say("no more projects; waiting for the job that runs (again to end it now)"),
    () => undefined,
  );
  screen.say(`A stand-in for GitLab at ${gitlab.url}, and gitlab-burst ${packageVersion()}.`);
  const show = follow(gitlab, screen);
  try {
    for (const folder of folders) {
      if (signals.stop.aborted) break;
      await runProject({ gitlab, screen, containers, signals, tally }, folder);
      await show.drained();
    }
  } finally {
    show.end();
    await gitlab.close();
    signals.release();
  }
  conclude(screen, tally);
}

/** On the address where containers reach it, if it is one of this machine's; else on loopback. */
async function startReachable(address: string | undefined): Promise<StandIn> {
  const options = { watched: true, longPollSeconds: 50 };
  if (address === undefined) return await startStandIn(options);
  return await startStandIn({ ...options, listen: address }).catch(() => startStandIn(options));
}

interface Stage {
  readonly gitlab: StandIn;
  readonly screen: Screen;
  readonly containers: Containers | undefined;
  readonly signals: TwoSignals;
  readonly tally: Tally;
}

async function runProject(stage: Stage, folder: string): Promise<void> {
  const { gitlab, screen, containers, tally } = stage;
  const name = basename(resolve(folder));
  const project = await gitlab.addProject(folder);
  const created = await gitlab.createPipeline(project.id);
  if (created.kind === "invalid") {
    tally.failed++;
    screen.say(`\n${name}  no pipeline:`);
    for (const error of created.errors) screen.say(`  ${error}`);
    return;
  }
  const images = [...new Set(created.pipeline.jobs.flatMap(imagesOf))];
  const contained = (await containers?.have(images)) ?? false;
  const missing = contained ? undefined : missingFor(folder);
  if (missing !== undefined) {
    for (const job of created.pipeline.jobs) gitlab.cancel(job.id, { force: true });
    tally.notRun.push(`${name}: ${missing}`);
    screen.say(`\n${name}  not run here: ${missing}`);
    return;
  }
  for (const warning of created.warnings) screen.say(`  ${name}: ${warning}`);
  screen.pipeline(created.pipeline);
  const pipeline = await runPipeline(stage, created.pipeline.id, contained ? "docker" : "process");
  tally.jobs += pipeline.jobs.filter((job) => job.startedAt !== undefined).length;
  if (pipeline.status === "success") tally.passed++;
  else tally.failed++;
}

/** A job that names no image gets the plainest there is. */
function imagesOf(job: JobView): readonly string[] {
  return job.images.length === 0 ? [plainImage] : job.images;
}

/** A runner for this pipeline alone, with the executor that suits it. */
async function runPipeline(
  { gitlab, signals }: Stage,
  pipelineId: number,
  executor: "process" | "docker",
): Promise<PipelineView> {
  const over = new AbortController();
  const rawSettings =
    executor === "docker" ? { pull_policy: "if-not-present", image: plainImage } : {};
  const runner = runLocally({
    url: gitlab.url,
    token: new Secret(gitlab.runnerToken),
    settings: readSettings(rawSettings),
    rawSettings,
    version: packageVersion(),
    name: "demo",
    executor,
    concurrent: 1,
    maxJobs: Number.POSITIVE_INFINITY,
    stateDir,
    buildsDir: join(stateDir, "builds"),
    cacheDir: join(stateDir, "cache"),
    stop: AbortSignal.any([over.signal, signals.stop]),
    interrupt: signals.interrupt,
    onEvent: () => undefined,
    onDiagnostic: (text) => process.stderr.write(`burst: ${text.trimEnd()}\n`),
  });
  try {
    const finished = gitlab.waitForPipeline(pipelineId, longestDemoMs);
    // A runner that ends by itself has been told to, or could not begin.
    await Promise.race([finished, runner]);
    return gitlab.pipeline(pipelineId);
  } finally {
    over.abort();
    // Ends its long poll; the next project's runner asks again.
    gitlab.pauseRunner(true);
    await runner;
    gitlab.pauseRunner(false);
  }
}

function readSettings(raw: Readonly<Record<string, unknown>>): Settings {
  const parsed = parseSettings(raw, "the demo's settings");
  if (parsed.kind === "invalid") throw new SettingsError(parsed.message);
  return parsed.settings;
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
