// A claimed job is a debt: this is its record. One object in the state bucket holds everything that has to be known
// to pay it, and every change is made under the object's ETag, whoever makes it: launcher, reaper or sweeper.

import * as z from "zod";
import { failureReasons } from "./failure-reason.ts";
import { obstacles } from "./obstacle.ts";
import type { Obstacle } from "./obstacle.ts";

/** Where in the series of launches a job is: together they name one RunTask and its client token. */
export const launchPointSchema = z.object({
  /** From 1; another one only where the task before was lost. */
  attempt: z.number().int(),
  /** Index into the ladder of capacities and subnets, from 0. */
  rung: z.number().int(),
  /** Counts how often every rung was refused, from 0. */
  try: z.number().int(),
});

export type LaunchPoint = z.output<typeof launchPointSchema>;

/** What GitLab is to be told, and with which last line in the job's log. */
export const verdictSchema = z.object({
  state: z.enum(["success", "failed"]),
  /** Missing for a success. */
  reason: z.enum(failureReasons).optional(),
  /** One sentence for the end of the job's log; empty where the agent has written its own. */
  message: z.string(),
  exitCode: z.number().int().optional(),
});

export type Verdict = z.output<typeof verdictSchema>;

const phaseSchema = z.discriminatedUnion("kind", [
  /** GitLab has handed the job out; nobody has begun. */
  z.object({ kind: z.literal("claimed") }),
  /** To be launched, but not before `until`: capacity, a throttle, a pace of ours. */
  z.object({
    kind: z.literal("waiting"),
    launch: launchPointSchema,
    until: z.number(),
    /** Since when nothing could be started. */
    since: z.number(),
    why: z.string(),
    /** What has to change before it can be started; missing where nothing has to, or the record is an old one. */
    obstacle: z.enum(obstacles).optional(),
  }),
  /** Written before RunTask is called, with the very request: an unknown answer is asked for again, byte for byte. */
  z.object({
    kind: z.literal("launching"),
    launch: launchPointSchema,
    since: z.number(),
    /** Since when nothing could be started. */
    waitingSince: z.number(),
    request: z.record(z.string(), z.unknown()),
    /** What it waited for before; the task's agent says so. */
    why: z.string().optional(),
    /** Turned away so many times, and not to be sent again before `until`. */
    throttled: z.object({ times: z.number().int(), until: z.number() }).optional(),
  }),
  z.object({
    kind: z.literal("running"),
    launch: launchPointSchema,
    since: z.number(),
    taskArn: z.string(),
  }),
  /** Decided; GitLab does not know it yet. */
  z.object({
    kind: z.literal("telling"),
    verdict: verdictSchema,
    until: z.number(),
    tries: z.number().int(),
    taskArn: z.string().optional(),
    /** Whether there may be a task that nobody knows yet. */
    mayLive: z.boolean().optional(),
  }),
  /** GitLab knows all it will ever hear of us: what is left goes, as soon as no task of the job lives any more. */
  z.object({
    kind: z.literal("closing"),
    /** Not to be cleaned up before: a task that nobody knows may still turn up. */
    until: z.number(),
    taskArn: z.string().optional(),
    /** Whether the job may have more tasks than that one. */
    search: z.boolean(),
  }),
]);

export type ClaimPhase = z.output<typeof phaseSchema>;

/** What keeps the claim's task from being started; undefined while nothing does. */
export function obstacleOf(phase: ClaimPhase | undefined): Obstacle | undefined {
  if (phase?.kind === "waiting") return phase.obstacle;
  return phase?.kind === "launching" && phase.throttled !== undefined ? "throttled" : undefined;
}

export const claimSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  /** GitLab's address, as the runner's settings had it when it claimed. */
  url: z.string(),
  systemId: z.string(),
  jobId: z.number().int(),
  /** The job's token. The object is encrypted, and goes when the job is over. */
  token: z.string(),
  /** Milliseconds since the epoch. */
  claimedAt: z.number(),
  /** The body of GitLab's 201, word for word. */
  body: z.string(),
  /** What we wrote into the job's log before its agent came up, for the agent to go on from. */
  trace: z.string(),
  /** Which fence holds: a job that may begin again gets a new one, and the old one stays where it is. */
  fence: z.number().int().optional(),
  phase: phaseSchema,
  /** Secrets, definitions: what was made for this job alone and has to go with it. */
  owned: z.array(z.object({ kind: z.enum(["secret", "definition"]), name: z.string() })),
});

export type ClaimRecord = z.output<typeof claimSchema>;

/**
 * A claim's name, the same in the bucket and as ECS's `startedBy` (at most 128 of letters, digits, - / _):
 * whose it is and how much it takes can be read from a listing, without opening the record.
 */
export interface ClaimId {
  /** The runner's name in Parameter Store: letters, digits, - and _, 64 at most. */
  readonly runner: string;
  readonly cpuUnits: number;
  /** 32 hexadecimal digits of the hash of GitLab's address and the job's id: two GitLabs share ids. */
  readonly jobKey: string;
}

export function formatClaimId({ runner, cpuUnits, jobKey }: ClaimId): string {
  return `${runner}/${cpuUnits}/${jobKey}`;
}

/** undefined where the text is no claim's: a task that somebody else started in our cluster. */
export function parseClaimId(text: string): ClaimId | undefined {
  const match = /^([A-Za-z0-9_-]{1,64})\/(\d{1,6})\/([0-9a-f]{32})$/.exec(text);
  const [, runner, cpuUnits, jobKey] = match ?? [];
  if (runner === undefined || cpuUnits === undefined || jobKey === undefined) return undefined;
  return { runner, cpuUnits: Number(cpuUnits), jobKey };
}

/** What is hashed (SHA-256, hexadecimal, the first 32) to a job key. */
export function jobKeyText(url: string, jobId: number): string {
  return `${url.replace(/\/+$/, "")}\n${jobId}`;
}
