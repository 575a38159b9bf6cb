// Why a job's container could not start, or ended before its time, in a sentence for the job's author.

import type { Container } from "dockerode";
import type { ContainersPlan } from "../../core/task-plan.ts";
import type { Trouble } from "../executor.ts";

/** The engine refused to create or start a container. */
export function explainStart(cause: unknown, image: string): Trouble {
  const text = cause instanceof Error ? cause.message : String(cause);
  if (/executable file not found|no such file or directory/i.test(text) && /"?sh"?/.test(text)) {
    return {
      reason: "runner_configuration_error",
      message:
        `image ${image} has no shell (sh) in its PATH, and a job's script needs one: use an image with a POSIX shell, ` +
        "such as the debug or alpine variant of this one",
    };
  }
  return { reason: "runner_system_failure", message: `a container could not be started: ${text}` };
}

/** The job's container ended while the agent still had use for it. */
export async function explainJobEnd(job: Container, plan: ContainersPlan): Promise<Trouble> {
  const { State: state } = await job.inspect();
  const { image } = plan.job;
  if (state.OOMKilled) {
    return {
      reason: "script_failure",
      exitCode: 137,
      message:
        `the job ran out of memory (exit code 137): its limit is ${plan.job.memoryMiB} MiB; ask for more with ` +
        `BURST_MEMORY, such as ${plan.job.memoryMiB * 2}M`,
    };
  }
  const said = await lastLines(job);
  const words = said === "" ? "" : ` It said: ${said}`;
  return {
    reason: "runner_configuration_error",
    message:
      `the container of image ${image} ended by itself with exit code ${state.ExitCode}. An image's entrypoint must ` +
      `exec the command it is given; if this one does not, set entrypoint: [""] in the job's image.${words}`,
  };
}

/** What the container printed last: its entrypoint's words, for the job's own output goes elsewhere. */
async function lastLines(job: Container): Promise<string> {
  const raw = await job.logs({ stdout: true, stderr: true, tail: 5 }).catch(() => Buffer.alloc(0));
  const lines: string[] = [];
  // Eight bytes before every piece: its stream and length.
  for (let at = 0; at + 8 <= raw.length;) {
    const length = raw.readUInt32BE(at + 4);
    lines.push(raw.toString("utf8", at + 8, at + 8 + length).trim());
    at += 8 + length;
  }
  return lines.join(" | ").slice(0, 500);
}
