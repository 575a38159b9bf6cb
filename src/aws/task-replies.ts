// What ECS answers when a task is to be started or a definition registered, and which of our words that is. The texts
// are those of AWS's documentation and of people's logs; one that nobody has seen yet is a refusal, and told.

import { ConflictException, ECSServiceException } from "@aws-sdk/client-ecs";
import type { RunTaskCommandOutput } from "@aws-sdk/client-ecs";
import type { RegisterReply, RunReply } from "../core/task-state.ts";

/** The first that fits. ECS writes apostrophes in two ways, so none is looked for. */
const failures: readonly (readonly [
  kind: "throttled" | "no-capacity" | "quota" | "no-address",
  text: RegExp,
])[] = [
  [
    "quota",
    /limit on the number of (?:vcpus|tasks) you can run|configuration is above your limit|vcpu limit/i,
  ],
  ["no-address", /free addresses|InsufficientFreeAddresses|insufficient (?:private )?ip/i],
  ["throttled", /rate exceeded|request limit exceeded|throttl|too many (?:requests|concurrent)/i],
  [
    "no-capacity",
    /capacity is unavailable|insufficient ?capacity|^RESOURCE:|try again later|internal ?(?:error|failure)/i,
  ],
];

const unknownDefinition =
  /task ?definition (?:is inactive|.*not found|does not exist)|unable to (?:find|describe) task ?definition/i;

const throttles: ReadonlySet<string> = new Set([
  "ThrottlingException",
  "Throttling",
  "TooManyRequestsException",
  "RequestLimitExceeded",
]);

/** Names that say nothing of what is wrong: the text does. All others are refusals by their names. */
const unsaid: ReadonlySet<string> = new Set(["ClientException", "InvalidParameterException"]);

/** An answer with status 200, which may be a failure all the same. */
export function runReply({ tasks = [], failures: failed = [] }: RunTaskCommandOutput): RunReply {
  const taskArn = tasks[0]?.taskArn;
  if (taskArn !== undefined) return { kind: "launched", taskArn };
  const [failure] = failed;
  if (failure === undefined) {
    return { kind: "unknown", message: "ECS names neither a task nor a failure" };
  }
  const message = [failure.reason, failure.detail].filter(Boolean).join(": ");
  return { kind: kindOf(message) ?? "refused", message: message || "no reason given" };
}

/** What the client threw for RunTask. */
export function runFailure(error: unknown): RunReply {
  if (error instanceof ConflictException) {
    // The client token has started a task already.
    const taskArn = error.resourceIds?.[0];
    if (taskArn !== undefined) return { kind: "launched", taskArn };
    return { kind: "refused", message: told(error) };
  }
  const definite = definiteFailure(error);
  if (definite.kind === "unknown") return definite;
  if (unknownDefinition.test(definite.message)) return { kind: "unknown-definition" };
  return definite;
}

/** What the client threw for RegisterTaskDefinition. */
export function registerFailure(error: unknown): RegisterReply {
  const { kind, message } = definiteFailure(error);
  return kind === "unknown" || kind === "throttled"
    ? { kind, message }
    : { kind: "refused", message };
}

/** ECS does not know the task, or no more: it is gone. */
export function isUnknownTask(error: unknown): boolean {
  return (
    error instanceof ECSServiceException &&
    error.name === "InvalidParameterException" &&
    /task was not found|not found/i.test(error.message)
  );
}

function definiteFailure(
  error: unknown,
): Exclude<RunReply, { kind: "launched" } | { kind: "unknown-definition" }> {
  const message = told(error);
  if (!(error instanceof ECSServiceException)) return { kind: "unknown", message };
  if (throttles.has(error.name)) return { kind: "throttled", message };
  const status = error.$metadata.httpStatusCode;
  if (status === undefined || status >= 500) return { kind: "unknown", message };
  const kind = unsaid.has(error.name) ? kindOf(error.message) : undefined;
  return { kind: kind ?? "refused", message };
}

function kindOf(text: string) {
  return failures.find(([, pattern]) => pattern.test(text))?.[0];
}

function told(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
