// The agent's second door: a task on ECS. What a launcher on this machine would say by a pipe is in the hand-off, in the
// task's metadata endpoint and in the state bucket; behind this door the job does not see the difference.

import type { HandOff, LauncherMessage } from "../../core/hand-off.ts";
import { readTrust } from "../../gitlab/trust.ts";
import type { Environment } from "../../gitlab/proxy.ts";
import { sleep, steadyNow } from "../clock.ts";
import type { Launcher } from "../launcher.ts";
import type { Reports } from "../report.ts";
import { fetchHandOff } from "./fetch-hand-off.ts";
import type { TaskJob } from "./fetch-hand-off.ts";
import { openGrants } from "./grants.ts";
import type { LiveGrants } from "./grants.ts";
import { hostLines, writeHosts } from "./host-names.ts";
import { logLink } from "./log-link.ts";
import { killedExitCode, memoryAdvice } from "./memory-advice.ts";
import { openMetadata } from "./metadata.ts";
import type { Metadata } from "./metadata.ts";
import { openStorage } from "./storage.ts";
import { taskCaches } from "./task-caches.ts";
import { taskReports } from "./task-reports.ts";
import { watchTask } from "./watch-task.ts";
import type { TaskWatch } from "./watch-task.ts";

export interface TaskDoor {
  readonly launcher: Launcher;
  readonly reports: Reports;
}

export interface TaskDoorInput {
  /** Where the hand-off is to be fetched. */
  readonly url: string;
  readonly env: Environment;
  /** Told to stop before there is a job. */
  readonly signal: AbortSignal;
  readonly diagnostic: (text: string) => void;
}

const requestTimeoutSeconds = 10;
const linkPatienceMilliseconds = 5000;

/** Throws NoHandOff. */
export async function joinTask(input: TaskDoorInput): Promise<TaskDoor> {
  const { env, diagnostic } = input;
  const over = new AbortController();
  const storageFor = (ca: string | undefined, signal: AbortSignal) =>
    openStorage({
      trust: readTrust({ ca }, env),
      env,
      timeoutSeconds: requestTimeoutSeconds,
      signal,
      sleep,
    });
  const job = await fetchHandOff(input.url, {
    storage: storageFor(undefined, input.signal),
    signal: input.signal,
    now: steadyNow,
    sleep,
  });
  const { handOff, task } = job;
  const storage = storageFor(handOff.gitlab.ca, over.signal);
  const grants = openGrants(task.grants, { storage, now: steadyNow, sleep, over: over.signal });
  const metadata = openMetadata(env["ECS_CONTAINER_METADATA_URI_V4"] ?? "");
  await nameHosts(job, env, diagnostic);
  const link = await linkTo(job, metadata);
  return {
    launcher: taskLauncher(job, { env, metadata, grants, link, over }),
    reports: taskReports(
      { storage, grants: grants.fresh, now: steadyNow, sleep, diagnostic },
      task.attempt,
    ),
  };
}

function taskLauncher(
  job: TaskJob,
  at: {
    readonly env: Environment;
    readonly metadata: Metadata;
    readonly grants: LiveGrants;
    readonly link: string;
    readonly over: AbortController;
  },
): Launcher {
  const { handOff, task } = job;
  let watch: TaskWatch | undefined;
  let tell: (message: LauncherMessage) => void = () => undefined;
  return {
    handOff,
    inherited: task.trace,
    head: at.link === "" ? [] : [`  this log on AWS: ${at.link}`],
    handsBack: true,
    listen(hear) {
      tell = hear;
      const { metadata, over } = at;
      watch = watchTask(job, { metadata, tell, now: steadyNow, sleep, over: over.signal });
    },
    caches: ({ log, signal, timeoutSeconds }) =>
      taskCaches(at.grants, {
        scratch: handOff.folders.scratch,
        network: networkOf(handOff, at.env),
        timeoutSeconds,
        log,
        signal,
        sleep,
      }),
    async lookBack(outcome) {
      if (outcome.kind !== "failed" || watch === undefined) return "its-own";
      if (await watch.isEnding()) return "interrupted";
      if (outcome.exitCode === killedExitCode) tell(memoryAdvice(task.memoryMiB, watch.peakBytes));
      return "its-own";
    },
    close: () => at.over.abort(),
  };
}

function networkOf({ gitlab }: HandOff, env: Environment) {
  return { trust: readTrust({ ca: gitlab.ca }, env), env };
}

/** Names are worth a warning, not the job: everything is reached by 127.0.0.1 as well. */
async function nameHosts(
  { handOff, task }: TaskJob,
  env: Environment,
  diagnostic: (text: string) => void,
): Promise<void> {
  // The same variable as boot's: where names are not to be written into the machine's own file.
  const hostsFile = env["BURST_HOSTS"] ?? "/etc/hosts";
  try {
    await writeHosts(hostLines(task), { control: handOff.folders.control, hostsFile });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    diagnostic(`the names of the job's services are not known to the agent: ${why}`);
  }
}

/** "" where the endpoint does not say who we are. */
async function linkTo({ task }: TaskJob, metadata: Metadata): Promise<string> {
  const until = steadyNow() + linkPatienceMilliseconds;
  for (;;) {
    const [seen, self] = await Promise.all([metadata.task(), metadata.self()]);
    if (seen !== undefined && self !== undefined) {
      return logLink(task.logs, self.Name, seen.TaskARN);
    }
    if (steadyNow() > until) return "";
    await sleep(250);
  }
}
