// The fate of the containers beside us, from the task's metadata endpoint, told as any launcher tells it: what is being
// pulled, when all of them run, which service has ended, and that the job's own container will not come or is gone.

import type { LauncherMessage } from "../../core/hand-off.ts";
import type { TaskJob } from "./fetch-hand-off.ts";
import { isPulling } from "./metadata.ts";
import type { Metadata, SeenContainer, SeenTask } from "./metadata.ts";
import { startUpLine } from "./start-up-time.ts";

export interface TaskWatch {
  /** The most memory that the job's container has been seen to hold, in bytes. */
  readonly peakBytes: number;
  /** Looks again now. Whether ECS wants the whole task to end. */
  isEnding(): Promise<boolean>;
}

export interface WatchTools {
  readonly metadata: Metadata;
  readonly tell: (message: LauncherMessage) => void;
  readonly now: () => number;
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  readonly over: AbortSignal;
}

const eagerMilliseconds = 1000;
const calmMilliseconds = 5000;
/** So long without a word from the endpoint, and the job goes on without it. */
const patienceMilliseconds = 60_000;

export function watchTask(job: TaskJob, tools: WatchTools): TaskWatch {
  const { metadata, tell, now, sleep, over } = tools;
  const watched = watchedContainers(job, tell);
  let prepared = false;
  let peakBytes = 0;
  const measure = async (seen: SeenTask) => {
    const container = seen.Containers.find(({ Name }) => Name === job.task.jobContainer);
    if (container?.KnownStatus !== "RUNNING") return;
    peakBytes = Math.max(peakBytes, (await metadata.memoryInUse(container.DockerId)) ?? 0);
  };
  const goOn = (seen: SeenTask | undefined) => {
    if (seen === undefined) {
      const text = "the task's metadata cannot be read: what becomes of its containers is not seen";
      tell({ kind: "notice", level: "warning", text });
    } else {
      const text = startUpOf(job, seen);
      if (text !== "") tell({ kind: "notice", level: "line", text });
    }
    prepared = true;
    tell({ kind: "prepared", services: job.task.services.map(serviceOf) });
  };
  const watch = async () => {
    let lastSeen = now();
    while (!over.aborted) {
      const seen = await metadata.task();
      if (over.aborted) return;
      if (seen !== undefined) {
        lastSeen = now();
        watched.look(seen);
        if (!prepared && watched.allStarted) goOn(seen);
        if (prepared) await measure(seen);
      } else if (!prepared && now() - lastSeen > patienceMilliseconds) goOn(undefined);
      await sleep(prepared ? calmMilliseconds : eagerMilliseconds, over);
    }
  };
  for (const text of job.task.notices) tell({ kind: "notice", level: "line", text });
  void watch();
  return {
    get peakBytes() {
      return peakBytes;
    },
    isEnding: async () => (await metadata.task())?.DesiredStatus === "STOPPED",
  };
}

type Service = TaskJob["task"]["services"][number];

/** Tells each change once. */
function watchedContainers({ task }: TaskJob, tell: (message: LauncherMessage) => void) {
  const pulling = new Set<string>();
  const started = new Set<string>();
  const ended = new Set<string>();
  const services = new Map(task.services.map((service) => [service.container, service]));
  const note = (container: SeenContainer) => {
    const { Name, KnownStatus, Image } = container;
    if (isPulling(container) && Image !== "" && !pulling.has(Name)) {
      pulling.add(Name);
      tell({ kind: "notice", level: "line", text: `Pulling image ${Image} ...` });
    }
    if (KnownStatus === "RUNNING" || KnownStatus === "STOPPED") started.add(Name);
    if (KnownStatus !== "STOPPED" || ended.has(Name)) return;
    ended.add(Name);
    if (Name === task.jobContainer) return tell({ kind: "failed" });
    const service = services.get(Name);
    if (service !== undefined) tell(endOf(service, container));
  };
  return {
    look(seen: SeenTask) {
      for (const container of seen.Containers) {
        if (container.Name === task.jobContainer || services.has(container.Name)) note(container);
      }
    },
    get allStarted() {
      if (ended.has(task.jobContainer)) return false;
      return [task.jobContainer, ...services.keys()].every((name) => started.has(name));
    },
  };
}

function endOf(service: Service, { ExitCode }: SeenContainer): LauncherMessage {
  const reason =
    ExitCode === 0
      ? ""
      : ExitCode === undefined
        ? `service ${service.name} was not started: its image could not be pulled, or what it runs does not exist`
        : `service ${service.name} ended by itself with exit code ${ExitCode}. With CI_DEBUG_SERVICES its log goes to CloudWatch`;
  return { kind: "service-ended", hostname: service.hostnames[0] ?? "", reason };
}

function serviceOf({ name, hostnames, ports }: Service) {
  return { name, hostnames, ports };
}

function startUpOf({ handOff, task }: TaskJob, seen: SeenTask): string {
  return startUpLine({
    claimedAt: handOff.claimedAt,
    launchedAt: task.launchedAt,
    task: seen,
    startedAt: seen.Containers.find(({ Name }) => Name === task.jobContainer)?.StartedAt,
  });
}
