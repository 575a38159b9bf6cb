// A script that ended with 137 was killed. On Fargate nobody tells by whom: the kernel's events stay with AWS. How much
// memory the job was seen to hold shortly before makes it certain or likely that there was too little.

import type { LauncherMessage } from "../../core/hand-off.ts";
import { memorySuggestion } from "../../core/stop-advice.ts";

export const killedExitCode = 137;

const mebibyte = 1024 * 1024;
/** Of the limit: so close to it, and then killed. */
const closeToLimit = 0.9;

export function memoryAdvice(memoryMiB: number, peakBytes: number): LauncherMessage {
  if (peakBytes >= memoryMiB * mebibyte * closeToLimit) return { kind: "out-of-memory", memoryMiB };
  const text =
    `exit code ${killedExitCode}: a process of the job was killed. Fargate does not tell by whom; most often it is for want ` +
    `of memory. The job's limit is ${memoryMiB} MiB: ${memorySuggestion(memoryMiB)}`;
  return { kind: "notice", level: "warning", text };
}
