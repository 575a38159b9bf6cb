// The process executor: a job as plain children of this machine. One process group runs boot (and so the
// job's scripts), another the agent. Both outlive this process if it is killed: the agent still tells
// GitLab, and boot ends with the agent.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AgentReport, HandOff, LauncherMessage } from "../core/hand-off.ts";
import { hearAgent } from "./agent-reports.ts";
import type { AgentExit, Executor, RunningJob } from "./executor.ts";
import { jobEnvironment } from "./job-environment.ts";
import { killOwn } from "./own-processes.ts";

const here = import.meta.url;
const bootScript = readFileSync(new URL("../agent/boot.sh", here), "utf8");
// The same extension as this file's: .ts in a checkout, .js in the built package.
const agentProgram = fileURLToPath(new URL(`../agent/main${extname(here)}`, here));

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
      // Boot ends with its agent, and the agent with its job: nothing waits for a sweep.
    },
    async launch({ jobId, prepare, notices, onReport }) {
      const scratch = await mkdtemp(join(tmpdir(), `burst-${jobId}-`));
      const folders = {
        control: join(scratch, "control"),
        scratch: join(scratch, "agent"),
        builds: options.buildsDir,
        cache: options.cacheDir,
      };
      await mkdir(folders.control, { mode: 0o700 });
      await mkdir(folders.scratch, { mode: 0o700 });
      await mkdir(folders.builds, { recursive: true });
      const handOff = prepare({ folders });
      const cookie = randomBytes(12).toString("hex");
      const environment = jobEnvironment(options.environment, options.secrets);
      const boot = spawnBoot(folders.control, cookie, environment);
      const agent = spawnAgent(environment, options.nodeArguments ?? process.execArgv);
      tellAgent(agent, handOff, notices);
      return watch(jobId, boot, agent, onReport, options, async () => {
        if (boot.pid !== undefined) await killOwn(boot.pid, cookie);
        await rm(scratch, { recursive: true, force: true });
      });
    },
  };
}

function spawnBoot(control: string, cookie: string, environment: Record<string, string>) {
  return spawn("/bin/sh", ["-c", bootScript, "burst-boot"], {
    env: { ...environment, BURST_CONTROL: control, BURST_COOKIE: cookie },
    cwd: control,
    stdio: "ignore",
    detached: true,
  });
}

function spawnAgent(
  environment: Record<string, string>,
  nodeArguments: readonly string[],
): ChildProcess {
  return spawn(process.execPath, [...nodeArguments, agentProgram], {
    env: environment,
    // The hand-off goes through a pipe: no other process of the machine can read it.
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
}

function tellAgent(agent: ChildProcess, handOff: HandOff, notices: readonly string[]): void {
  const messages: readonly LauncherMessage[] = [
    ...notices.map((text) => ({ kind: "notice", level: "line", text }) as const),
    { kind: "prepared", services: [] },
  ];
  agent.stdin?.on("error", () => {
    // An agent that died before it read shows in its exit code.
  });
  agent.stdin?.write([handOff, ...messages].map((line) => `${JSON.stringify(line)}\n`).join(""));
}

function watch(
  jobId: number,
  boot: ChildProcess,
  agent: ChildProcess,
  onReport: (report: AgentReport) => void,
  options: ProcessExecutorOptions,
  cleanUp: () => Promise<void>,
): RunningJob {
  agent.stdout?.on("data", (bytes: Buffer) => options.onLog?.(jobId, bytes));
  if (agent.stderr !== null) {
    hearAgent(agent.stderr, onReport, (text) => options.onDiagnostic(jobId, text));
  }
  boot.on("error", () => {
    // Without a shell to start, the agent hears that nobody came up.
  });
  const finished = new Promise<AgentExit>((resolve) => {
    agent.on("error", (cause) => resolve({ kind: "never-started", message: cause.message }));
    agent.on("close", (code, signal) => resolve({ kind: "exited", code, signal }));
  }).finally(cleanUp);
  return {
    agentPid: agent.pid,
    finished,
    interrupt() {
      agent.kill("SIGTERM");
    },
  };
}
