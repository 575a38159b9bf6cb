// Where a task is tried to be started, in which order, and how long we wait in between. One step of the ladder is one
// kind of capacity in one set of subnets; nothing here waits, it says when.

import { backoffMs } from "./retry.ts";
import type { Backoff } from "./retry.ts";
import type { LaunchPoint } from "./claim.ts";
import { obstacleText } from "./obstacle.ts";
import type { Obstacle } from "./obstacle.ts";
import type { Capacity } from "./settings-task.ts";
import type { RunReply } from "./task-state.ts";

export interface Rung {
  readonly capacity: Capacity;
  readonly subnets: readonly string[];
}

/**
 * Spot, where the job may have it, then on-demand; both with all subnets, of which ECS picks one. Then on-demand in
 * each subnet by itself: what is short in one zone may be there in another.
 */
export function ladderOf(capacity: Capacity, subnets: readonly string[]): readonly Rung[] {
  const single = subnets.length > 1 ? subnets.map((subnet) => [subnet]) : [];
  return [
    ...(capacity === "spot" ? [{ capacity, subnets }] : []),
    ...[subnets, ...single].map((set) => ({ capacity: "on-demand", subnets: set }) as const),
  ];
}

/** How many tasks of one job may be lost before its script began. */
export const mostAttempts = 5;

export const firstLaunch: LaunchPoint = { attempt: 1, rung: 0, try: 0 };

/** The next task of a job that lost one. Who has lost two is not sent back to Spot. */
export function nextAttempt({ attempt }: LaunchPoint, rungs: readonly Rung[]): LaunchPoint {
  const onDemand = rungs.findIndex((rung) => rung.capacity === "on-demand");
  return { attempt: attempt + 1, rung: attempt >= 2 ? Math.max(0, onDemand) : 0, try: 0 };
}

/** Names the folder of what is made for one launch. */
export function launchName({ attempt, rung, try: tries }: LaunchPoint): string {
  return `${attempt}-${rung}-${tries}`;
}

/** The same for the same launch, however often it is asked for: ECS starts one task for it. */
export function clientToken(
  jobKey: string,
  launch: LaunchPoint,
  sha256Hex: (text: string) => string,
): string {
  return sha256Hex(`${jobKey}\n${launchName(launch)}`);
}

/** Nothing was started, and it is known why. */
export type NotStarted = Extract<RunReply, { readonly kind: Exclude<Obstacle, "throttled"> }>;

export interface WaitInput {
  readonly now: number;
  /** When the job's first task could have been started, had there been room. */
  readonly since: number;
  readonly timeoutSeconds: number;
  /** In [0, 1): spreads those who wait for the same. */
  readonly chance: number;
}

export interface LadderInput extends WaitInput {
  readonly launch: LaunchPoint;
  readonly rungs: readonly Rung[];
  readonly reply: NotStarted;
}

interface GiveUp {
  readonly kind: "give-up";
  readonly message: string;
}

export type LadderStep =
  | {
      readonly kind: "again";
      readonly launch: LaunchPoint;
      readonly until: number;
      /** For the job's log. */
      readonly why: string;
      /** What it has to wait for; missing where another rung is tried at once. */
      readonly obstacle?: Obstacle;
    }
  | GiveUp;

/** RunTask's own bucket refills 20 times a second: who was turned away need not stay away for long. */
const throttled: Backoff = { firstMs: 500, factor: 2, maxMs: 20_000, jitter: true };
/** Room is made by other jobs that end, which takes longer. */
const noRoom: Backoff = { firstMs: 10_000, factor: 2, maxMs: 60_000, jitter: true };

const longestWaitSeconds = 30 * 60;

export function patienceSeconds(timeoutSeconds: number): number {
  return Math.min(longestWaitSeconds, timeoutSeconds);
}

export function climb(input: LadderInput): LadderStep {
  const { launch, rungs, reply, now } = input;
  const next = nextRung(launch, rungs, reply);
  if (next !== undefined) {
    return {
      kind: "again",
      launch: next,
      until: now,
      why: `${whyNot(input)}; trying ${rungText(rungs[next.rung])}`,
    };
  }
  const tries = launch.try + 1;
  const waiting = wait(input, noRoom, tries, { why: whyNot(input), advice: advice[reply.kind] });
  if (waiting.kind === "give-up") return waiting;
  return {
    kind: "again",
    launch: { attempt: launch.attempt, rung: 0, try: tries },
    until: waiting.until,
    why: whyNot(input),
    obstacle: reply.kind,
  };
}

export type StandBack = { readonly kind: "again"; readonly until: number } | GiveUp;

/**
 * AWS has not even looked at the request, for the `times`th time (from 1). The very same has to be sent again: one
 * before it may have been left without an answer, and have started the task.
 */
export function standBack(times: number, input: WaitInput): StandBack {
  return wait(input, throttled, times, { why: obstacleText.throttled, advice: laterAdvice });
}

function wait(
  { now, since, timeoutSeconds, chance }: WaitInput,
  backoff: Backoff,
  tries: number,
  text: { readonly why: string; readonly advice: string },
): StandBack {
  const waited = now - since;
  const patience = patienceSeconds(timeoutSeconds) * 1000;
  if (waited >= patience) {
    const message = `no task could be started for ${Math.round(waited / 60_000)} minutes: ${text.why}. ${text.advice}`;
    return { kind: "give-up", message };
  }
  // Never beyond the end of our patience: the last try is made there.
  const until = Math.min(now + backoffMs(backoff, tries, chance), since + patience);
  return { kind: "again", until: Math.max(until, now + 1) };
}

/** A step further on; for a quota only to where another one holds. */
function nextRung(
  { attempt, rung, try: tries }: LaunchPoint,
  rungs: readonly Rung[],
  reply: NotStarted,
): LaunchPoint | undefined {
  const here = rungs[rung];
  const index = rungs.findIndex((candidate, at) => {
    if (at <= rung) return false;
    return reply.kind !== "quota" || candidate.capacity !== here?.capacity;
  });
  return index === -1 ? undefined : { attempt, rung: index, try: tries };
}

function whyNot({ reply, rungs, launch }: LadderInput): string {
  return `${obstacleText[reply.kind]} (${rungText(rungs[launch.rung])})`;
}

const laterAdvice = "Retry the job later";

const advice: Readonly<Record<NotStarted["kind"], string>> = {
  quota:
    "Have the quota raised in Service Quotas (Fargate, vCPU resource count), or run fewer jobs at once (vcpu_budget)",
  "no-address": "Give the stack larger subnets, or run fewer jobs at once",
  "no-capacity": `${laterAdvice}; a smaller size or another architecture may have room`,
};

export function rungText(rung: Rung | undefined): string {
  if (rung === undefined) return "elsewhere";
  const capacity = rung.capacity === "spot" ? "Spot" : "on-demand";
  return rung.subnets.length === 1 ? `${capacity} in ${rung.subnets[0]}` : capacity;
}
