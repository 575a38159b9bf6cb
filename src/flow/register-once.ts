// ECS takes one new definition a second, and many jobs may need the same one at the same moment. Whoever writes its
// name into the bucket first registers it; the others come back when it is there.

import type { TaskDefinition } from "../core/fargate-task.ts";
import { stateKeys } from "../core/state-keys.ts";
import type { RegisterReply } from "../core/task-state.ts";
import type { AdvanceDeps } from "./advance-deps.ts";

export type RegisteredOnce =
  | RegisterReply
  /** Somebody else is at it. */
  | { readonly kind: "elsewhere"; readonly until: number };

/** Who has not done it by then has died over it. */
const turnMs = 20_000;
const shortestPauseMs = 1000;

export async function registerOnce(
  deps: Pick<AdvanceDeps, "objects" | "tasks" | "now" | "random">,
  definition: TaskDefinition,
): Promise<RegisteredOnce> {
  const { objects, tasks, now, random } = deps;
  const key = stateKeys.registering(definition.family);
  if (!(await takeTurn(deps, key))) {
    return { kind: "elsewhere", until: now() + Math.round(shortestPauseMs * (1 + random())) };
  }
  try {
    return await tasks.register(definition);
  } finally {
    await objects.remove([key]);
  }
}

async function takeTurn(
  { objects, now }: Pick<AdvanceDeps, "objects" | "now">,
  key: string,
): Promise<boolean> {
  const turn = String(now());
  if ((await objects.create(key, turn)).kind === "written") return true;
  const taken = await objects.read(key);
  if (taken === undefined || now() - taken.modifiedAt < turnMs) return false;
  return (await objects.replace(key, turn, taken.etag)).kind === "written";
}
