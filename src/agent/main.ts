// The agent: one process, one job. Takes the hand-off from stdin, runs the job, delivers trace and result.
// stdout gets the masked log, stderr reports and what the agent has to say about itself; the exit code is the protocol
// to the launcher (core/hand-off.ts).

import { mkdir } from "node:fs/promises";
import "./parse-once.ts";
import { agentExit } from "../core/hand-off.ts";
import { deliverJob } from "./deliver-job.ts";
import { listenToLauncher } from "./launcher.ts";
import type { Launcher } from "./launcher.ts";
import { openReports } from "./report.ts";

async function main(): Promise<void> {
  let launcher: Launcher | undefined;
  try {
    launcher = await listenToLauncher(process.stdin);
    // In containers whoever the job's image runs as must be able to write to what we make.
    if (launcher.handOff.executor !== "process") process.umask(0);
    await mkdir(launcher.handOff.folders.scratch, { recursive: true, mode: 0o700 });
    process.exitCode = await deliverJob(launcher, openReports(process.stderr));
  } catch (cause) {
    // What a message may quote has been a secret once; the stack alone says where it broke.
    const stack = cause instanceof Error ? (cause.stack ?? "").split("\n").slice(1).join("\n") : "";
    process.stderr.write(
      `agent: ${cause instanceof Error ? cause.name : "unknown error"}\n${stack}\n`,
    );
    process.exitCode = agentExit.undelivered;
  } finally {
    // Never process.exit: what is still on its way to stdout would be lost.
    launcher?.close();
    // Its launcher keeps the pipe open, which would keep this process alive.
    process.stdin.destroy();
  }
}

await main();
