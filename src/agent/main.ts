// The agent: one process, one job. Takes the hand-off from stdin, or where it runs as a task on ECS from the address in
// its environment; runs the job, delivers trace and result. stdout gets the masked log, stderr what the agent has to say
// about itself (and to a launcher beside it, reports); the exit code is the protocol to the launcher (core/hand-off.ts).

import { toldToStop } from "./early-signal.ts";
import { mkdir } from "node:fs/promises";
import "./parse-once.ts";
import "./short-life.ts";
import { agentExit, handOffUrlVariable } from "../core/hand-off.ts";
import { deliverJob } from "./deliver-job.ts";
import { listenToLauncher } from "./launcher.ts";
import type { Launcher } from "./launcher.ts";
import { openReports } from "./report.ts";
import type { Reports } from "./report.ts";
import { NoHandOff } from "./task/fetch-hand-off.ts";

const taskUrl = process.env[handOffUrlVariable];
// Whatever the agent starts inherits its environment.
delete process.env[handOffUrlVariable];

async function main(): Promise<void> {
  let launcher: Launcher | undefined;
  try {
    let reports: Reports;
    if (taskUrl === undefined) {
      launcher = await listenToLauncher(process.stdin);
      reports = openReports(process.stderr);
    } else {
      // Its requests and schemas take their time to load, which a launcher beside us need not wait for.
      const { joinTask } = await import("./task/join-task.ts");
      const door = await joinTask({
        url: taskUrl,
        env: process.env,
        signal: toldToStop,
        diagnostic: (text) => void process.stderr.write(`agent: ${text}\n`),
      });
      ({ launcher, reports } = door);
    }
    // In containers whoever the job's image runs as must be able to write to what we make.
    if (launcher.handOff.executor !== "process") process.umask(0);
    await mkdir(launcher.handOff.folders.scratch, { recursive: true, mode: 0o700 });
    process.exitCode = toldToStop.aborted
      ? agentExit.interrupted
      : await deliverJob(launcher, reports);
  } catch (cause) {
    process.exitCode = toldToStop.aborted ? agentExit.interrupted : agentExit.undelivered;
    process.stderr.write(`agent: ${complaint(cause)}\n`);
  } finally {
    // Never process.exit: what is still on its way to stdout would be lost.
    launcher?.close();
    // Its launcher keeps the pipe open, which would keep this process alive.
    process.stdin.destroy();
  }
}

/** What a message may quote has been a secret once; the stack alone says where it broke. */
function complaint(cause: unknown): string {
  if (cause instanceof NoHandOff) return cause.message;
  if (!(cause instanceof Error)) return "unknown error";
  return [cause.name, ...(cause.stack ?? "").split("\n").slice(1)].join("\n");
}

await main();
