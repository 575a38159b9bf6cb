// What to ask for next time, in words that can be copied into a pipeline file.

import { agentMemoryMiB } from "./plan-size.ts";
import { pullFailureReason } from "./pull-failure.ts";
import { fargateDiskGiB } from "./size.ts";

/** `memoryMiB`: the job container's limit, which is less than the job asked for. */
export function memorySuggestion(memoryMiB: number): string {
  const more = (memoryMiB + agentMemoryMiB) * 2;
  return `ask for more with BURST_MEMORY, such as ${more}M, where the runner allows it`;
}

function diskSuggestion(diskGiB: number): string {
  if (diskGiB >= fargateDiskGiB.most) {
    return `it is the largest there is (${fargateDiskGiB.most} GB), so use smaller images`;
  }
  return `ask for more with BURST_DISK, such as ${Math.min(diskGiB * 2, fargateDiskGiB.most)}`;
}

/** What to do about an image that could not be pulled, by the words of whoever tried. */
export function pullAdvice(text: string, diskGiB: number): string {
  if (/no space left on device/i.test(text)) {
    return `The task's disk of ${diskGiB} GB holds images packed and unpacked: ${diskSuggestion(diskGiB)}`;
  }
  if (/toomanyrequests|rate limit/i.test(text)) {
    return "The registry limits strangers: log in (registry-auth of the runner, or DOCKER_AUTH_CONFIG), or take the image from a mirror (image_rewrites)";
  }
  if (/does not match platform|no match for platform|exec format/i.test(text)) {
    return "The image is not made for the processors of this task: choose others with BURST_ARCH (x86_64, arm64), or build it for both";
  }
  const reason = pullFailureReason(text);
  if (reason === "runner_external_dependency_failure") {
    return "The registry was not reached: see that the task's subnets have a way to it, and retry the job";
  }
  if (reason === "runner_configuration_error") {
    return "See that its name and tag are right and, if it is private, that there is a login for its registry (DOCKER_AUTH_CONFIG, or registry-auth of the runner)";
  }
  return "Retry the job; if it stays so, see whether the image can be pulled elsewhere";
}
