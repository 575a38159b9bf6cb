// What a person may call a job by, who wants its log from AWS.

import { parseClaimId } from "./claim.ts";
import type { ClaimId } from "./claim.ts";

export type JobName =
  | { readonly kind: "job"; readonly jobId: number }
  | { readonly kind: "claim"; readonly id: ClaimId; readonly name: string }
  | { readonly kind: "task"; readonly taskId: string };

/** GitLab's number of the job, a claim's id, a task's id or its ARN; undefined where it is none of these. */
export function parseJobName(text: string): JobName | undefined {
  if (/^#?\d{1,15}$/.test(text)) return { kind: "job", jobId: Number(text.replace("#", "")) };
  const id = parseClaimId(text);
  if (id !== undefined) return { kind: "claim", id, name: text };
  const task = /^(?:arn:[^:]+:ecs:\S+:task\/(?:[^/]+\/)?)?([0-9a-f-]{32,36})$/.exec(text)?.[1];
  return task === undefined ? undefined : { kind: "task", taskId: task };
}
