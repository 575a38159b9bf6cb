// The process executor: a job as plain children of this machine. One process group runs boot (and so the
// job's scripts), another the agent. Both outlive this process if it is killed: the agent still tells
// GitLab, boot ends with the agent, and the next start removes what is left.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, realpath } from "node:fs/promises";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readyJob } from "../agent/ready-job.ts";
import { agentExit } from "../core/hand-off.ts";
import type { AgentReport, HandOff, LauncherMessage } from "../core/hand-off.ts";
import { hearAgent } from "./agent-reports.ts";
import type { AgentExit, Executor, RunningJob, Trouble } from "./executor.ts";
import { abandonedFootprints, eraseFootprint, makeScratch, recordFootprint } from "./footprint.ts";
import type { Footprint } from "./footprint.ts";
import { jobEnvironment } from "./job-environment.ts";
import { agentCookie, jobCookie, killGroup } from "./own-processes.ts";

const here = import.meta.url;
const bootScript = readFileSync(new URL("../agent/boot.sh", here), "utf8");
const agentProgram = findAgent();

const drainMilliseconds = 2000;

export interface ProcessExecutorOptions {
  readonly buildsDir: string;
  readonly cacheDir: string;
  /** The environment to start from, usually `process.env`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What Node is started with for an agent; by default what this process was started with. */
  readonly nodeArguments?: readonly string[];
  /** Values that no child's environment may hold. */
  readonly secrets: readonly string[];
  /** Gets the agent's masked log as it comes. */
  readonly onLog?: (jobId: number, bytes: Uint8Array) => void;
  /** Gets what the agent says about itself: diagnostics, never the job's output. */
  readonly onDiagnostic: (jobId: number, text: string) => void;
}

export function createProcessExecutor(options: ProcessExecutorOptions): Executor {
  return {
    name: "process",
    agentImage: undefined,
    async sweep() {
      for (const footprint of await abandonedFootprints()) await eraseFootprint(footprint);
    },
    async launch({ jobId, prepare, notices, onReport }) {
      const scratch = await makeScratch(jobId);
      const cookies = { job: newCookie(), agent: newCookie() };
      let footprint: Footprint = { scratch, folders: [], cookies: Object.values(cookies) };
      const started: ChildProcess[] = [];
      const erase = () => eraseFootprint(footprint, started.filter(isUnended).flatMap(pidOf));
      try {
        const folders = await makeFolders(scratch, options);
        const handOff = prepare({ folders });
        footprint = { ...footprint, folders: besideProject(handOff) };
        await recordFootprint(footprint, [process.pid]);
        const environment = jobEnvironment(options.environment, options.secrets);
        const boot = spawnBoot(folders.control, { ...environment, [jobCookie]: cookies.job });
        started.push(boot);
        const nodeArguments = options.nodeArguments ?? process.execArgv;
        const agent = spawnAgent({ ...environment, [agentCookie]: cookies.agent }, nodeArguments);
        started.push(agent);
        const running = watch(jobId, boot, agent, onReport, options, erase);
        const said = notices.map((text) => ({ kind: "notice", level: "line", text }) as const);
        tell(agent, handOff, ...said, { kind: "prepared", services: [] });
        await recordFootprint(footprint, [process.pid, ...pidOf(agent)]).catch(() => {
          // The first record holds as long as we live; the job is worth more than the second.
        });
        return running;
      } catch (cause) {
        await erase();
        throw cause;
      }
    },
  };
}

/** The built package has the agent as one file, too: Node is up with that in less than half the time. */
function findAgent(): string {
  const bundle = fileURLToPath(new URL("../bundles/agent.mjs", here));
  // The same extension as this file's: .ts in a checkout, .js where each module is a file.
  const modules = fileURLToPath(new URL(`../agent/main${extname(here)}`, here));
  return existsSync(bundle) ? bundle : modules;
}

async function makeFolders(
  scratch: string,
  options: ProcessExecutorOptions,
): Promise<HandOff["folders"]> {
  const folders = {
    control: join(scratch, "control"),
    scratch: join(scratch, "agent"),
    builds: options.buildsDir,
    cache: options.cacheDir,
  };
  await mkdir(folders.control, { mode: 0o700 });
  await mkdir(folders.scratch, { mode: 0o700 });
  await mkdir(folders.builds, { recursive: true });
  // Below it the agent follows no link: a job may have made it.
  return { ...folders, builds: await realpath(folders.builds) };
}

/** Where the agent keeps secrets on disk while it runs: file variables, git's credentials. */
function besideProject(handOff: HandOff): readonly string[] {
  try {
    return [readyJob(handOff).tempDir];
  } catch {
    // The agent will fail in the same way, before it makes any.
    return [];
  }
}

function newCookie(): string {
  return randomBytes(12).toString("hex");
}

function isUnended(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function pidOf(child: ChildProcess): readonly number[] {
  return child.pid === undefined ? [] : [child.pid];
}

function spawnBoot(control: string, environment: Record<string, string>): ChildProcess {
  return endWithGroup(
    spawn("/bin/sh", ["-c", bootScript, "burst-boot"], {
      env: { ...environment, BURST_CONTROL: control },
      cwd: control,
      stdio: "ignore",
      detached: true,
    }),
  );
}

/** Its process group ends with it: right then, for later its number may be another's. */
function endWithGroup(leader: ChildProcess): ChildProcess {
  return leader.once("exit", () => pidOf(leader).forEach(killGroup));
}

function spawnAgent(
  environment: Record<string, string>,
  nodeArguments: readonly string[],
): ChildProcess {
  return endWithGroup(
    spawn(process.execPath, [...nodeArguments, agentProgram], {
      env: environment,
      // The hand-off goes through a pipe: no other process of the machine can read it.
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    }),
  );
}

function tell(agent: ChildProcess, ...messages: readonly (HandOff | LauncherMessage)[]): void {
  agent.stdin?.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(""));
}

function watch(
  jobId: number,
  boot: ChildProcess,
  agent: ChildProcess,
  onReport: (report: AgentReport) => void,
  options: ProcessExecutorOptions,
  cleanUp: () => Promise<void>,
): RunningJob {
  let trouble: Trouble | undefined;
  const loseBoot = (why: string) => {
    trouble ??= { reason: "runner_system_failure", message: `the job's shell ${why}` };
    // It may never have opened the pipe by whose end the agent would see it.
    tell(agent, { kind: "failed" });
  };
  boot.on("error", ({ message }) => loseBoot(`could not be started: ${message}`));
  boot.on("exit", (code, signal) => {
    if (code !== 0) loseBoot(`never came up, or was killed (${signal ?? `exit code ${code}`})`);
  });
  agent.stdin?.on("error", () => {
    // An agent that died before it read shows in its exit code.
  });
  agent.stdout?.on("data", (bytes: Buffer) => options.onLog?.(jobId, bytes));
  if (agent.stderr !== null) {
    hearAgent(agent.stderr, onReport, (text) => options.onDiagnostic(jobId, text));
  }
  const finished = new Promise<AgentExit>((resolve) => {
    agent.on("error", (cause) => resolve({ kind: "never-started", message: cause.message }));
    const end = (code: number | null, signal: string | null) =>
      resolve({
        kind: "exited",
        code,
        signal,
        trouble: code === agentExit.containerGone ? trouble : undefined,
      });
    agent.on("close", end);
    // Whoever else holds the agent's pipes open must not keep us: what it said is here by then.
    agent.on("exit", (code, signal) => setTimeout(end, drainMilliseconds, code, signal).unref());
  });
  const erased = async () => {
    try {
      await cleanUp();
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      options.onDiagnostic(jobId, `not all that the job left could be removed: ${why}`);
    }
  };
  return {
    agentPid: agent.pid,
    finished: finished.finally(erased),
    interrupt() {
      agent.kill("SIGTERM");
    },
  };
}
