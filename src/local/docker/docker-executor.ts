// The docker executor: Fargate on a desk. A job's containers share one network and one volume; the agent's starts
// first and fetches the sources while the job's image is still being pulled.

import { readFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { SettingsError } from "../../core/errors.ts";
import type { ContainersPlan } from "../../core/task-plan.ts";
import type { Executor, Launch, RunningJob } from "../executor.ts";
import type { SpecContext } from "./container-spec.ts";
import type { Engine } from "./engine.ts";
import { openGitLabRoute } from "./gitlab-route.ts";
import type { GitLabRoute } from "./gitlab-route.ts";
import { jobLabel, ownerLabel, thisOwner } from "./labels.ts";
import { sweepEngine } from "./sweep.ts";
import { startTask } from "./task.ts";

const bootScript = readFileSync(new URL("../../agent/boot.sh", import.meta.url), "utf8");

export interface DockerExecutorOptions {
  readonly engine: Engine;
  readonly agentImage: string;
  /** GitLab as this machine reaches it. */
  readonly url: string;
  /** Names the cache volume: runners do not share one. */
  readonly runnerKey: string;
  readonly onLog?: (jobId: number, bytes: Uint8Array) => void;
  readonly onDiagnostic: (jobId: number, text: string) => void;
}

export interface DockerExecutor extends Executor {
  /** Lets go of what serves all jobs. */
  close(): Promise<void>;
}

/** Throws SettingsError where containers could not reach GitLab. */
export async function createDockerExecutor(
  options: DockerExecutorOptions,
): Promise<DockerExecutor> {
  const { engine } = options;
  const owner = await thisOwner();
  const route = await openGitLabRoute(engine, options.url);
  return {
    name: "docker",
    agentImage: options.agentImage,
    sweep: () => sweepEngine(engine, (text) => options.onDiagnostic(0, text)),
    close: () => route.close(),
    launch: (launch) => launchTask(options, owner, route, launch),
  };
}

async function launchTask(
  options: DockerExecutorOptions,
  owner: string,
  route: GitLabRoute,
  launch: Launch,
): Promise<RunningJob> {
  const { plan, jobId } = launch;
  const prefix = `burst-${jobId}-${randomBytes(4).toString("hex")}`;
  const context: SpecContext = {
    prefix,
    labels: { ...labelsOf(plan), [ownerLabel]: owner, [jobLabel]: String(jobId) },
    volumes: {
      control: `${prefix}-control`,
      builds: `${prefix}-builds`,
      // One for each project: what a project's jobs get to run beside their agent finds no other's caches.
      cache: `burst-cache-${options.runnerKey}-${launch.projectId}`,
    },
    hostNames: route.hostNames,
  };
  return await startTask({
    engine: options.engine,
    plan: containersOf(launch),
    context,
    bootScript,
    ...(route.url === undefined ? {} : { url: route.url }),
    launch,
    onLog: (bytes) => options.onLog?.(jobId, bytes),
    onDiagnostic: (text) => options.onDiagnostic(jobId, text),
  });
}

function labelsOf(plan: Launch["plan"]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(plan.labels).map(([name, value]) => [`com.gitlab-burst.${name}`, value]),
  );
}

function containersOf({ plan }: Launch): ContainersPlan {
  if (plan.executor === "process")
    throw new SettingsError("a plan for processes cannot be run in containers");
  return plan;
}
