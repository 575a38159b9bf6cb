// The agent: one process, one job. Reads the hand-off from stdin, runs the job, delivers trace and result.
// stdout gets the masked log, stderr what the agent has to say about itself; the exit code is the protocol
// to the launcher (core/hand-off.ts).

import { text } from "node:stream/consumers";
import { agentExit, handOffSchema } from "../core/hand-off.ts";
import { deliverJob } from "./deliver-job.ts";
import { openReports } from "./report.ts";

async function main(): Promise<void> {
  const reports = openReports();
  try {
    const handOff = handOffSchema.parse(JSON.parse(await text(process.stdin)));
    process.exitCode = await deliverJob(handOff, reports);
  } catch (cause) {
    // What a message may quote has been a secret once; the stack alone says where it broke.
    const stack = cause instanceof Error ? (cause.stack ?? "").split("\n").slice(1).join("\n") : "";
    process.stderr.write(
      `agent: ${cause instanceof Error ? cause.name : "unknown error"}\n${stack}\n`,
    );
    process.exitCode = agentExit.undelivered;
  } finally {
    // Never process.exit: what is still on its way to stdout would be lost.
    reports.close();
  }
}

await main();
