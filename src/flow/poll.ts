// One life of the poller: holds the lease, and asks GitLab for as many jobs as there is room for, every runner by
// itself, until its time is over. Settings are read again before every request. No request begins after the end, and
// what is under way then is waited for: an answer that nobody hears may have been a job.

import type { Objects } from "../aws/objects.ts";
import type { Functions } from "../aws/functions.ts";
import type { Tasks } from "../aws/tasks.ts";
import { leaseTimes } from "../core/lease.ts";
import type { LeaseNotes } from "../core/lease.ts";
import type { EventLog, Metering } from "./event-log.ts";
import type { GitLabs } from "./gitlabs.ts";
import { createHandOver } from "./hand-over.ts";
import type { HandOver } from "./hand-over.ts";
import { takeLease } from "./lease.ts";
import type { Lease } from "./lease.ts";
import { createBell } from "./poll-bell.ts";
import type { Bell } from "./poll-bell.ts";
import { pollClaims } from "./poll-claims.ts";
import type { PollClaims } from "./poll-claims.ts";
import { pollRequests } from "./poll-requests.ts";
import type { PollRequests } from "./poll-requests.ts";
import { roomNow } from "./poll-room.ts";
import { pollSettings } from "./poll-settings.ts";
import { pollStarts } from "./poll-starts.ts";
import type { PollStarts } from "./poll-starts.ts";
import type { PollSettings } from "./poll-settings.ts";
import type { LoadedRunners } from "./runners.ts";

export interface PollDeps {
  readonly objects: Pick<Objects, "read" | "create" | "replace" | "list">;
  readonly tasks: Pick<Tasks, "describe">;
  readonly functions: Pick<Functions, "invoke">;
  /** The launcher's name. */
  readonly launcher: string;
  readonly gitlabs: GitLabs;
  readonly loadRunners: () => Promise<LoadedRunners>;
  readonly logger: EventLog;
  readonly metrics: Metering;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Resolves early when the signal aborts. */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  readonly sha256Hex: (text: string) => string;
}

export interface PollOptions {
  /** Tells one poller from every other. */
  readonly holder: string;
  /** When the process will be ended, whatever it does. */
  readonly killedAt: number;
}

export type Polled =
  | { readonly kind: "polled"; readonly claimed: number }
  /** Another poller is at it. */
  | { readonly kind: "held"; readonly holder: string }
  /** Nobody may ask for anything, and nothing is open. */
  | { readonly kind: "idle" };

const times = {
  /** For the requests that are under way at the end. */
  answerMilliseconds: 60_000,
  /** For the records of what they bring. */
  recordMilliseconds: 15_000,
  /** A poller that comes while another is about to end waits for that long. */
  patienceMilliseconds: 65_000,
  renewAgainMilliseconds: 2000,
  gaugesMilliseconds: 60_000,
  shortestWaitMilliseconds: 20,
  /** Where something is to be tried again, or waits for our pace. */
  soonMilliseconds: 1000,
} as const;

export async function poll(deps: PollDeps, options: PollOptions): Promise<Polled> {
  const first = await deps.loadRunners();
  const { answerMilliseconds, recordMilliseconds } = times;
  const latest = options.killedAt - answerMilliseconds - recordMilliseconds;
  const { poll_seconds } = first.environment;
  const taken = await takeLease(deps, {
    holder: options.holder,
    endsAt: () => (poll_seconds < 60 ? Math.min(latest, deps.now() + poll_seconds * 1000) : latest),
    patienceMilliseconds: Math.min(
      times.patienceMilliseconds,
      latest - deps.now() - leaseTimes.lifeMilliseconds,
    ),
  });
  if (taken.kind === "held") return taken;
  return await pollUnder(deps, taken.lease, first);
}

/** All that one poller keeps in mind. */
interface Desk {
  readonly deps: PollDeps;
  readonly lease: Lease;
  readonly settings: PollSettings;
  readonly claims: PollClaims;
  readonly requests: PollRequests;
  readonly handOver: HandOver;
  readonly starts: PollStarts;
  readonly bell: Bell;
  /** When what is under way at the end is given up. */
  readonly requestsEnd: number;
  readonly claimed: () => number;
  renewAt: number;
  gaugedAt: number;
}

async function pollUnder(deps: PollDeps, lease: Lease, first: LoadedRunners): Promise<Polled> {
  const desk = openDesk(deps, lease, first);
  const { settings, claims, requests, handOver, starts } = desk;
  let isIdle = false;
  while (lease.isHeld() && deps.now() < lease.endsAt) {
    await attempt(deps, "The lease could not be renewed", () => refreshLease(desk));
    await attempt(deps, "The settings could not be read", () => refreshSettings(desk));
    await attempt(deps, "The claims could not be listed", claims.refresh);
    settings.sayMistakes();
    starts.run(claims.all());
    handOver.run(claims.all());
    ask(desk);
    gauge(desk);
    const isQuiet = claims.all().length === 0 && requests.inFlight().size === 0;
    isIdle = isQuiet && !claims.isBlind() && settings.active().length === 0;
    if (isIdle) break;
    await desk.bell.wait(untilNextLook(desk));
  }
  await leave(desk);
  return isIdle ? { kind: "idle" } : { kind: "polled", claimed: desk.claimed() };
}

function openDesk(deps: PollDeps, lease: Lease, first: LoadedRunners): Desk {
  const bell = createBell(deps.sleep);
  const claims = pollClaims(deps, lease.notes.usage);
  const handOver = createHandOver(deps);
  const requestsEnd = lease.endsAt + times.answerMilliseconds;
  let claimed = 0;
  const requests = pollRequests(
    {
      ...deps,
      onClaim(claim) {
        claimed++;
        claims.add(claim);
        handOver.enqueue(claim.name);
        handOver.run(claims.all());
      },
      onLost: claims.goBlind,
      onAnswer: bell.ring,
    },
    { health: lease.notes.health, endsBy: requestsEnd },
  );
  return {
    deps,
    lease,
    settings: pollSettings(deps, first),
    claims,
    requests,
    handOver,
    starts: pollStarts(deps, handOver.enqueue),
    bell,
    requestsEnd,
    claimed: () => claimed,
    renewAt: lease.renewAt(),
    gaugedAt: Number.NEGATIVE_INFINITY,
  };
}

/** What must not end the poller: it is said, and tried again. */
async function attempt({ logger }: PollDeps, what: string, action: () => Promise<void>) {
  try {
    await action();
  } catch (cause) {
    logger.error(`${what}; tried again`, {}, cause);
  }
}

async function refreshLease(desk: Desk): Promise<void> {
  const { deps, lease } = desk;
  if (deps.now() < desk.renewAt) return;
  desk.renewAt = deps.now() + times.renewAgainMilliseconds;
  await lease.renew(notesOf(desk, lease.notes.left));
  desk.renewAt = lease.renewAt();
}

function notesOf({ requests, claims }: Desk, left: LeaseNotes["left"]): LeaseNotes {
  return { health: requests.health(), usage: claims.usage(), left };
}

async function refreshSettings({ deps, settings, requests }: Desk): Promise<void> {
  const isAsking = settings.active().some((runner) => requests.readyAt(runner) <= deps.now());
  if (await settings.refresh(isAsking)) requests.retire(settings.active());
}

function ask(desk: Desk): void {
  const { deps, lease, claims, requests, settings } = desk;
  if (claims.isBlind() || !lease.isHeld() || deps.now() >= lease.endsAt) return;
  const { asks, crowded } = roomNow(desk, deps.now());
  for (const runner of settings.current().runners) {
    const count = asks.get(runner.name) ?? 0;
    for (let started = 0; started < count; started++) requests.start(runner, !crowded);
  }
}

function gauge(desk: Desk): void {
  const { deps, claims, settings, requests } = desk;
  const { metrics, now } = deps;
  // Who is blind tells nothing: an alarm is about the silence.
  if (claims.isBlind() || now() - desk.gaugedAt < times.gaugesMilliseconds) return;
  desk.gaugedAt = now();
  const banned = settings.active().filter((runner) => requests.isBanned(runner)).length;
  if (banned > 0) metrics.add("TokenRefused", banned);
  metrics.add("OpenClaims", claims.all().length);
  metrics.add(
    "RunningVcpu",
    claims.running().reduce((sum, { cpuUnits }) => sum + cpuUnits / 1024, 0),
  );
  metrics.publish();
}

function untilNextLook({ deps, lease, settings, claims, requests, handOver, ...desk }: Desk) {
  const now = deps.now();
  const moments = [desk.renewAt, settings.dueAt(), lease.endsAt];
  moments.push(
    ...settings
      .active()
      .map((runner) => requests.readyAt(runner))
      .filter((at) => at > now),
  );
  const listing = claims.dueAt();
  if (listing !== undefined) moments.push(listing);
  if (claims.isBlind() || handOver.queued() > 0) moments.push(now + times.soonMilliseconds);
  return Math.max(times.shortestWaitMilliseconds, Math.min(...moments) - now);
}

/** Gives the lease back at once, so that the next poller asks, and waits for the answers that are still to come. */
async function leave(desk: Desk): Promise<void> {
  const { deps, lease, requests, claims, handOver, starts } = desk;
  if (!lease.isHeld()) deps.logger.warn("The lease is lost; another poller asks from now on");
  const left = { until: desk.requestsEnd, requests: Object.fromEntries(requests.inFlight()) };
  await attempt(deps, "The lease could not be given back", () =>
    lease.giveBack(notesOf(desk, left)),
  );
  await Promise.all([requests.drain(), starts.settled()]);
  handOver.run(claims.all());
  await handOver.settled();
  deps.metrics.publish();
}
