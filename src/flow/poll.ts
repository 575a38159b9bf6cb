// One life of the poller: holds the lease, and asks GitLab for as many jobs as there is room for, every runner by
// itself, until its time is over. Settings are read again before every request. No request begins after the end, and
// what is under way then is waited for: an answer that nobody hears may have been a job.

import type { Objects } from "../aws/objects.ts";
import type { Functions } from "../aws/functions.ts";
import { leaseTimes, leftRequests } from "../core/lease.ts";
import type { LeaseNotes } from "../core/lease.ts";
import { obstacleOf } from "../core/claim.ts";
import type { PolledClaim } from "../core/poll-due.ts";
import { addUsage, noUsage } from "../core/poll-usage.ts";
import { findRoom } from "../core/room.ts";
import type { OpenJob, Room } from "../core/room.ts";
import type { EventLog, Metering } from "./event-log.ts";
import type { GitLabs } from "./gitlabs.ts";
import { createHandOver } from "./hand-over.ts";
import { takeLease } from "./lease.ts";
import type { Lease } from "./lease.ts";
import { openClaims } from "./open-claims.ts";
import { createBell } from "./poll-bell.ts";
import { pollRequests } from "./poll-requests.ts";
import type { LoadedRunner, LoadedRunners } from "./runners.ts";

export interface PollDeps {
  readonly objects: Pick<Objects, "read" | "create" | "replace" | "list">;
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

export const pollTimes = {
  /** For the requests that are under way at the end. */
  answerMilliseconds: 60_000,
  /** For the records of what they bring. */
  recordMilliseconds: 15_000,
  /** A poller that comes while another is about to end waits for that long. */
  patienceMilliseconds: 65_000,
  renewAgainMilliseconds: 2000,
  settingsMilliseconds: 1000,
  /** Also while no runner asks: there may be a new one. */
  newRunnersMilliseconds: 10_000,
  listingMilliseconds: 5000,
  gaugesMilliseconds: 60_000,
  shortestWaitMilliseconds: 20,
} as const;

export async function poll(deps: PollDeps, options: PollOptions): Promise<Polled> {
  const first = await deps.loadRunners();
  const { answerMilliseconds, recordMilliseconds } = pollTimes;
  const latest = options.killedAt - answerMilliseconds - recordMilliseconds;
  const { poll_seconds } = first.environment;
  const taken = await takeLease(deps, {
    holder: options.holder,
    endsAt: () => (poll_seconds < 60 ? Math.min(latest, deps.now() + poll_seconds * 1000) : latest),
    patienceMilliseconds: Math.min(
      pollTimes.patienceMilliseconds,
      latest - deps.now() - leaseTimes.lifeMilliseconds,
    ),
  });
  if (taken.kind === "held") return taken;
  return await pollUnder(deps, taken.lease, first);
}

async function pollUnder(deps: PollDeps, lease: Lease, first: LoadedRunners): Promise<Polled> {
  const { now, logger, metrics } = deps;
  const bell = createBell(deps.sleep);
  const open = openClaims(deps.objects, now);
  const handOver = createHandOver(deps);
  const requestsEnd = lease.endsAt + pollTimes.answerMilliseconds;
  let claimed = 0;
  let loaded = first;
  let loadedAt = now();
  let said = new Set<string>();
  let usage = lease.notes.usage ?? noUsage(now());
  /** When the claims were last listed; never again is right where S3 does not answer: then nobody asks. */
  let listedAt = Number.NEGATIVE_INFINITY;
  let gaugedAt = Number.NEGATIVE_INFINITY;
  let isBlind = true;
  let renewAt = lease.renewAt();

  const requests = pollRequests(
    {
      ...deps,
      onClaim(claim) {
        claimed++;
        open.add(claim);
        handOver.enqueue(claim.name);
        handOver.run(open.all());
      },
      onLost() {
        isBlind = true;
      },
      onAnswer: bell.ring,
    },
    { health: lease.notes.health, endsBy: requestsEnd },
  );
  const notes = (left: LeaseNotes["left"] = lease.notes.left): LeaseNotes => ({
    health: requests.health(),
    usage,
    left,
  });
  const isActive = ({ settings }: LoadedRunner) => !loaded.environment.paused && !settings.paused;

  async function refreshLease() {
    if (now() < renewAt) return;
    renewAt = now() + pollTimes.renewAgainMilliseconds;
    await lease.renew(notes());
    renewAt = lease.renewAt();
  }

  async function refreshSettings() {
    const wanted = loaded.runners.some(
      (runner) => isActive(runner) && requests.readyAt(runner) <= now(),
    );
    const age = now() - loadedAt;
    const { settingsMilliseconds, newRunnersMilliseconds } = pollTimes;
    if (age < (wanted ? settingsMilliseconds : newRunnersMilliseconds)) return;
    loadedAt = now();
    loaded = await deps.loadRunners();
    requests.retire(loaded.runners.filter(isActive));
  }

  async function refreshClaims() {
    const known = open.all();
    const age = now() - listedAt;
    const wanted = isBlind || known.length > 0;
    if (!wanted || age < (isBlind ? 1000 : pollTimes.listingMilliseconds)) return;
    listedAt = now();
    await open.refresh();
    isBlind = false;
    const running = open.all().filter(({ phase }) => phase?.kind === "running");
    usage = addUsage(usage, running, now());
  }

  function room(): Room {
    const { environment, runners } = loaded;
    const inFlight = new Map(requests.inFlight());
    for (const [runner, count] of leftRequests(lease.notes, now())) {
      inFlight.set(runner, (inFlight.get(runner) ?? 0) + count);
    }
    return findRoom({
      paused: environment.paused,
      vcpuBudget: environment.vcpu_budget,
      dailyVcpuMinutes: environment.daily_vcpu_minutes,
      runners: runners
        .filter((runner) => requests.readyAt(runner) <= now())
        .toSorted((a, b) => requests.lastAskedAt(a) - requests.lastAskedAt(b))
        .map((runner) => roomRunner(runner, requests.isBanned(runner))),
      open: open.all().map(openJob),
      inFlight,
      isBehind: handOver.queued() > backlog,
      usedMinutes: new Map(Object.entries(usage.minutes)),
    });
  }

  function ask() {
    if (isBlind || !lease.isHeld() || now() >= lease.endsAt) return;
    const { asks, crowded } = room();
    for (const runner of loaded.runners) {
      const count = asks.get(runner.name) ?? 0;
      for (let started = 0; started < count; started++) requests.start(runner, !crowded);
    }
  }

  /** What must not end the poller: it is said, and tried again. */
  async function attempt(what: string, action: () => Promise<void>) {
    try {
      await action();
    } catch (cause) {
      logger.error(`${what}; tried again`, {}, cause);
    }
  }

  function gauge() {
    if (now() - gaugedAt < pollTimes.gaugesMilliseconds) return;
    gaugedAt = now();
    const claims = open.all();
    const running = claims.filter(({ phase }) => phase?.kind === "running");
    metrics.add("OpenClaims", claims.length);
    metrics.add(
      "RunningVcpu",
      running.reduce((sum, { cpuUnits }) => sum + cpuUnits / 1024, 0),
    );
    metrics.publish();
  }

  function sayMistakes() {
    for (const mistake of loaded.mistakes) if (!said.has(mistake)) logger.error(mistake);
    said = new Set(loaded.mistakes);
  }

  const nextLook = () => {
    const moments = [renewAt, loadedAt + pollTimes.newRunnersMilliseconds, lease.endsAt];
    for (const runner of loaded.runners.filter(isActive)) {
      const at = requests.readyAt(runner);
      if (at > now()) moments.push(at);
    }
    if (open.all().length > 0) moments.push(listedAt + pollTimes.listingMilliseconds);
    if (isBlind || handOver.queued() > 0) moments.push(now() + 1000);
    return Math.max(pollTimes.shortestWaitMilliseconds, Math.min(...moments) - now());
  };

  let isIdle = false;
  while (lease.isHeld() && now() < lease.endsAt) {
    await attempt("The lease could not be renewed", refreshLease);
    await attempt("The settings could not be read", refreshSettings);
    await attempt("The claims could not be listed", refreshClaims);
    sayMistakes();
    handOver.run(open.all());
    ask();
    gauge();
    isIdle = open.all().length === 0 && requests.inFlight().size === 0 && !isBlind;
    if (isIdle && !loaded.runners.some(isActive)) break;
    isIdle = false;
    await bell.wait(nextLook());
  }

  if (!lease.isHeld()) logger.warn("The lease is lost; another poller asks from now on");
  const left = { until: requestsEnd, requests: Object.fromEntries(requests.inFlight()) };
  await attempt("The lease could not be given back", () => lease.giveBack(notes(left)));
  await requests.drain();
  handOver.run(open.all());
  await handOver.settled();
  metrics.publish();
  return isIdle ? { kind: "idle" } : { kind: "polled", claimed };
}

/** More new claims than these are not handed over yet: the pace is the limit, and asking for more is no use. */
const backlog = 20;

function openJob({ runner, cpuUnits, phase }: PolledClaim): OpenJob {
  return { runner, cpuUnits, obstacle: obstacleOf(phase) };
}

function roomRunner({ name, settings }: LoadedRunner, banned: boolean) {
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
