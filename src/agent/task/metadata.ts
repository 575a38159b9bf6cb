// The task's metadata endpoint (version 4): what ECS knows of the containers beside us, without any right on AWS.
// All of it is optional here: what is missing is not known yet.

import { request } from "node:http";
import { text } from "node:stream/consumers";
import * as z from "zod";

/** Of ECS's own agent, before a container runs: its image is not there yet. */
const withoutImage = ["", "NONE", "MANIFEST_PULLED"];

const time = z
  .string()
  .optional()
  .transform((value) => {
    const at = Date.parse(value ?? "");
    return Number.isNaN(at) ? undefined : at;
  });

const containerSchema = z.object({
  DockerId: z.string().default(""),
  Name: z.string(),
  Image: z.string().default(""),
  KnownStatus: z.string().default(""),
  ExitCode: z.number().int().optional(),
  StartedAt: time,
});

const taskSchema = z.object({
  TaskARN: z.string().default(""),
  DesiredStatus: z.string().default(""),
  PullStartedAt: time,
  PullStoppedAt: time,
  Containers: z.array(containerSchema).default([]),
});

const memorySchema = z.object({
  usage: z.number().optional(),
  stats: z.record(z.string(), z.unknown()).optional(),
});

const statsSchema = z.record(
  z.string(),
  z.object({ memory_stats: memorySchema.optional() }).nullable(),
);

export type SeenTask = z.output<typeof taskSchema>;
export type SeenContainer = z.output<typeof containerSchema>;

export interface Metadata {
  /** undefined: no answer, or none that can be read. */
  task(): Promise<SeenTask | undefined>;
  /** Our own container. */
  self(): Promise<SeenContainer | undefined>;
  /** Bytes that a container cannot give back. */
  memoryInUse(dockerId: string): Promise<number | undefined>;
}

const timeoutMilliseconds = 4000;

/** `base`: ECS_CONTAINER_METADATA_URI_V4. */
export function openMetadata(base: string): Metadata {
  const read = async <T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> => {
    try {
      return schema.safeParse(JSON.parse(await get(`${base}${path}`))).data;
    } catch {
      return undefined;
    }
  };
  return {
    task: () => read("/task", taskSchema),
    self: () => read("", containerSchema),
    async memoryInUse(dockerId) {
      const stats = await read("/task/stats", statsSchema);
      const memory = stats?.[dockerId]?.memory_stats;
      if (memory?.usage === undefined) return undefined;
      // Files that are only kept in case they are read again; by the names of both versions of cgroups.
      const cached = memory.stats?.["total_inactive_file"] ?? memory.stats?.["inactive_file"];
      return memory.usage - (typeof cached === "number" ? cached : 0);
    },
  };
}

export function isPulling({ KnownStatus }: SeenContainer): boolean {
  return withoutImage.includes(KnownStatus);
}

/** It is on a link-local address of the task's own: no proxy leads there. */
async function get(url: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const asked = request(url, { agent: false, timeout: timeoutMilliseconds }, (answer) => {
      if (answer.statusCode === 200) return void text(answer).then(resolve, reject);
      answer.resume();
      reject(new Error(`status ${answer.statusCode ?? 0}`));
    });
    asked.once("error", reject);
    asked.once("timeout", () => asked.destroy(new Error("no answer")));
    asked.end();
  });
}
