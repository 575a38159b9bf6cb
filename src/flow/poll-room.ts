// What the poller knows, as the count of how many jobs may be asked for needs it.

import { obstacleOf } from "../core/claim.ts";
import { leftRequests } from "../core/lease.ts";
import type { PolledClaim } from "../core/poll-due.ts";
import { findRoom } from "../core/room.ts";
import type { OpenJob, Room, RoomRunner } from "../core/room.ts";
import type { HandOver } from "./hand-over.ts";
import type { Lease } from "./lease.ts";
import type { PollClaims } from "./poll-claims.ts";
import type { PollRequests } from "./poll-requests.ts";
import type { PollSettings } from "./poll-settings.ts";
import type { LoadedRunner } from "./runners.ts";

interface RoomParts {
  readonly lease: Lease;
  readonly settings: PollSettings;
  readonly claims: PollClaims;
  readonly requests: PollRequests;
  readonly handOver: HandOver;
}

/** More new claims than these are not handed over yet: the pace is the limit, and asking for more is no use. */
const backlog = 20;

export function roomNow(
  { lease, settings, claims, requests, handOver }: RoomParts,
  now: number,
): Room {
  const { environment, runners } = settings.current();
  const inFlight = new Map(requests.inFlight());
  for (const [runner, count] of leftRequests(lease.notes, now)) {
    inFlight.set(runner, (inFlight.get(runner) ?? 0) + count);
  }
  return findRoom({
    paused: environment.paused,
    vcpuBudget: environment.vcpu_budget,
    dailyVcpuMinutes: environment.daily_vcpu_minutes,
    runners: runners
      .filter((runner) => requests.readyAt(runner) <= now)
      .toSorted((a, b) => requests.lastAskedAt(a) - requests.lastAskedAt(b))
      .map((runner) => roomRunner(runner, requests.isBanned(runner))),
    open: claims.all().map(openJob),
    inFlight,
    isBehind: handOver.queued() > backlog,
    usedMinutes: new Map(Object.entries(claims.usage().minutes)),
  });
}

function openJob({ runner, cpuUnits, phase }: PolledClaim): OpenJob {
  return { runner, cpuUnits, obstacle: obstacleOf(phase) };
}

function roomRunner({ name, settings }: LoadedRunner, banned: boolean): RoomRunner {
  return {
    name,
    paused: settings.paused,
    banned,
    limit: settings.limit,
    requestConcurrency: settings.request_concurrency,
    vcpuBudget: settings.vcpu_budget,
    dailyVcpuMinutes: settings.daily_vcpu_minutes,
    usualCpuUnits: settings.sizes.default.cpuUnits,
  };
}
