// A task as ECS describes it, in an answer or in an event: the same fields, with moments as dates in the one and as
// texts in the other. What is missing has not happened yet.

import * as z from "zod";
import type { TaskState } from "../core/task-state.ts";

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");
const moment = z
  .union([z.date(), z.string(), z.number()])
  .nullish()
  .transform((value) => {
    const at = value == null ? Number.NaN : new Date(value).getTime();
    return Number.isNaN(at) ? undefined : at;
  });

const containerSchema = z
  .object({
    name: text,
    lastStatus: text,
    exitCode: z.number().nullish(),
    reason: text,
  })
  .transform(({ exitCode, ...rest }) => ({ ...rest, exitCode: exitCode ?? undefined }));

const taskSchema = z.object({
  taskArn: z.string().min(1),
  startedBy: text,
  lastStatus: text,
  desiredStatus: text,
  stopCode: text,
  stoppedReason: text,
  containers: z.array(containerSchema).nullish(),
  capacityProviderName: text,
  createdAt: moment,
  pullStartedAt: moment,
  pullStoppedAt: moment,
  startedAt: moment,
  stoppedAt: moment,
  version: z.number().nullish(),
});

/** Throws where it is no task. */
export function readTask(raw: unknown): TaskState {
  const { containers, capacityProviderName, version, ...rest } = taskSchema.parse(raw);
  return {
    ...rest,
    containers: containers ?? [],
    capacityProvider: capacityProviderName,
    version: version ?? 0,
  };
}
