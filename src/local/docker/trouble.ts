// Why a container could not start, or ended before its time, in a sentence for the job's author.

import type { Container } from "dockerode";
import type { TextMask } from "../../core/job-mask.ts";
import type { ContainerPlan, ContainersPlan } from "../../core/task-plan.ts";
import type { Trouble } from "../executor.ts";
import { engineText } from "./engine-call.ts";
import { logTail } from "./log-tail.ts";

/** The engine refused to create or start a container. */
export function explainStart(
  cause: unknown,
  container: ContainerPlan,
  isService: boolean,
): Trouble {
  const text = engineText(cause);
  const image = `${isService ? "service" : "image"} ${container.requestedImage}`;
  const configuration = (message: string): Trouble => ({
    reason: "runner_configuration_error",
    message,
  });
  const missing =
    /exec: "([^"]+)": .*(?:executable file not found|no such file or directory)/i.exec(text)?.[1];
  if (missing === "sh" && !isService) {
    return configuration(
      `${image} has no shell (sh) in its PATH, and a job's script needs one: use an image with a POSIX shell, ` +
        "such as the debug or alpine variant of this one",
    );
  }
  if (missing !== undefined) {
    return configuration(
      `${image} cannot be started: there is no ${missing} in it. Set its entrypoint or command to a program that ` +
        "the image has",
    );
  }
  const user = /unable to find (?:user|group) ([^:]+):/.exec(text)?.[1];
  if (user !== undefined) {
    return configuration(
      `${image} has no user or group ${user}: name one that the image has, or give its number`,
    );
  }
  const status = statusOf(cause);
  if (status === 400 || /not allowed|invalid|unknown or invalid runtime/i.test(text)) {
    return configuration(
      `${image} cannot be started as the runner's settings and the job ask for it: ${text}`,
    );
  }
  return { reason: "runner_system_failure", message: `${image} could not be started: ${text}` };
}

function statusOf(cause: unknown): unknown {
  return typeof cause === "object" && cause !== null && "statusCode" in cause
    ? cause.statusCode
    : undefined;
}

/** The job's container ended while the agent still had use for it. */
export async function explainJobEnd(
  job: Container,
  plan: ContainersPlan,
  scriptBegan: boolean,
  mask: TextMask,
): Promise<Trouble> {
  const { State: state } = await job.inspect();
  const image = plan.job.requestedImage;
  if (state.OOMKilled) {
    return {
      reason: "script_failure",
      exitCode: 137,
      message:
        `the job ran out of memory (exit code 137): its limit is ${plan.job.memoryMiB} MiB; ask for more with ` +
        `BURST_MEMORY, such as ${plan.job.memoryMiB * 2}M`,
    };
  }
  const killed = state.ExitCode === 137 || state.ExitCode === 143;
  if (scriptBegan || killed) {
    return {
      reason: "runner_system_failure",
      message:
        `the job's container ended in the middle of the job (exit code ${state.ExitCode}): the job itself, or ` +
        "somebody on the runner's machine, has killed it",
    };
  }
  const said = (await logTail(job, 5, mask)).join(" | ").slice(0, 500);
  const words = said === "" ? "" : ` It said: ${said}`;
  if (/exec format error/i.test(said)) {
    return {
      reason: "runner_configuration_error",
      message:
        `image ${image} is made for another kind of processor than this machine has: use one for ` +
        `${process.arch === "x64" ? "amd64" : process.arch}.${words}`,
    };
  }
  return {
    reason: "runner_configuration_error",
    message:
      `the container of image ${image} ended by itself with exit code ${state.ExitCode}. An image's entrypoint must ` +
      `exec the command it is given; if this one does not, set entrypoint: [""] in the job's image.${words}`,
  };
}
