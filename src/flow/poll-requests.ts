// The requests for jobs that are under way, and what is known of each runner between them. A request is never aborted
// while it may become a job: only a long poll that has been silent for 20 s, and what is silent beyond all limits.

import { SettingsError } from "../core/errors.ts";
import type { LeaseRecord } from "../core/lease.ts";
import type { PolledClaim } from "../core/poll-due.ts";
import { freshRhythm, nextRhythm } from "../core/poll-rhythm.ts";
import type { Rhythm } from "../core/poll-rhythm.ts";
import { afterReply, bannedUntil, credentialsKey } from "../gitlab/health.ts";
import type { GitLabClient } from "../gitlab/client.ts";
import type { JobReply } from "../gitlab/request-job.ts";
import type { GitLabs } from "./gitlabs.ts";
import { recordClaim } from "./poll-claim.ts";
import type { RecordDeps } from "./poll-claim.ts";
import type { LoadedRunner } from "./runners.ts";

export interface RequestDeps extends RecordDeps {
  readonly gitlabs: GitLabs;
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  /** A record has been written: the claim is there, and has to be handed over. */
  readonly onClaim: (claim: PolledClaim) => void;
  /** A record could not be written. */
  readonly onLost: () => void;
  /** An answer has come: look again. */
  readonly onAnswer: () => void;
}

export interface PollRequests {
  /** By runner; a request counts until its job is recorded. */
  inFlight(): ReadonlyMap<string, number>;
  isBanned(runner: LoadedRunner): boolean;
  /** The moment from which it may ask again. */
  readyAt(runner: LoadedRunner): number;
  lastAskedAt(runner: LoadedRunner): number;
  /** `held`: GitLab may hold the request until there is a job. */
  start(runner: LoadedRunner, held: boolean): void;
  /** Ends long polls of runners that are not wanted any more, as far as they may be ended. */
  retire(wanted: readonly LoadedRunner[]): void;
  /** Asks no more; resolves when every request has been answered or given up, and its job recorded. */
  drain(): Promise<void>;
  health(): LeaseRecord["health"];
}

interface RunnerState {
  readonly credentials: string;
  rhythm: Rhythm;
  lastAskedMs: number;
  /** What was last said about GitLab: not said again while it stays so. */
  complaint: string;
}

interface Request {
  readonly runner: string;
  readonly credentials: string;
  readonly askedMs: number;
  /** It carried a queue value: what is silent then is held by GitLab. */
  readonly held: boolean;
  readonly abort: AbortController;
}

/** A long poll silent for this long cannot be about to become a job. */
const silentMilliseconds = 20_000;

export function pollRequests(
  deps: RequestDeps,
  options: {
    readonly health: LeaseRecord["health"];
    /** When every request must have ended. */
    readonly endsBy: number;
  },
): PollRequests {
  const { now, logger, metrics } = deps;
  const states = new Map<string, RunnerState>();
  const requests = new Set<Request>();
  const under = new Set<Promise<void>>();
  const health = new Map(Object.entries(options.health));
  const over = new AbortController();

  const stateOf = ({ name, settings, token }: LoadedRunner): RunnerState => {
    const credentials = credentialsKey(settings.url, token);
    let state = states.get(name);
    if (state?.credentials !== credentials) {
      state = { credentials, rhythm: freshRhythm, lastAskedMs: 0, complaint: "" };
      states.set(name, state);
    }
    return state;
  };
  const limitsOf = ({ settings }: LoadedRunner) => ({
    unhealthyRequestsLimit: settings.unhealthy_requests_limit,
    unhealthyIntervalSeconds: settings.unhealthy_interval,
  });
  const healthOf = (credentials: string) => ({
    credentials,
    ...(health.get(credentials) ?? { refusals: 0, lastRefusalMs: 0 }),
  });

  function learn(runner: LoadedRunner, state: RunnerState, reply: JobReply) {
    const { credentials } = state;
    const limits = limitsOf(runner);
    const { refusals, lastRefusalMs } = afterReply(
      healthOf(credentials),
      reply.kind,
      now(),
      limits,
    );
    if (refusals === 0) health.delete(credentials);
    else health.set(credentials, { refusals, lastRefusalMs });
    if (reply.kind === "forbidden") metrics.add("TokenRefused", 1);
    const until = bannedUntil(healthOf(credentials), now(), limits);
    const complaint =
      "message" in reply && until !== undefined
        ? `${reply.message} It is not asked again until ${new Date(until).toISOString()}, unless the token changes.`
        : "message" in reply
          ? reply.message
          : "";
    if (complaint === state.complaint) return;
    if (complaint === "") logger.info("GitLab answers again", { runner: runner.name });
    else logger.warn(complaint, { runner: runner.name, answer: reply.kind });
    state.complaint = complaint;
  }

  async function ask(runner: LoadedRunner, state: RunnerState, request: Request) {
    let gitlab: GitLabClient;
    try {
      const { settings, systemId, token } = runner;
      const { url, labels, tls_ca_certificate: ca } = settings;
      gitlab = deps.gitlabs.at({ url, systemId, token, ca, labels });
    } catch (cause) {
      if (!(cause instanceof SettingsError)) throw cause;
      logger.error(`The runner ${runner.name} cannot reach GitLab: ${cause.message}`, {
        runner: runner.name,
      });
      state.rhythm = { ...state.rhythm, notBeforeMs: now() + 60_000 };
      return;
    }
    const { lastUpdate } = state.rhythm;
    const reply = await gitlab.requestJob({
      ...(request.held && lastUpdate !== undefined ? { lastUpdate } : { longPoll: false }),
      signal: request.abort.signal,
    });
    if (reply.kind === "unavailable" && request.abort.signal.aborted) return;
    learn(runner, state, reply);
    const { check_interval, strict_check_interval } = runner.settings;
    const times = { askedMs: request.askedMs, nowMs: now(), intervalMs: check_interval * 1000 };
    state.rhythm = nextRhythm(state.rhythm, reply, times, strict_check_interval);
    if (reply.kind !== "job") return;
    const claim = await recordClaim(deps, runner, gitlab, reply);
    if (claim === undefined) deps.onLost();
    else deps.onClaim(claim);
  }

  function start(runner: LoadedRunner, held: boolean) {
    const state = stateOf(runner);
    const request: Request = {
      runner: runner.name,
      credentials: state.credentials,
      askedMs: now(),
      held: held && state.rhythm.lastUpdate !== undefined,
      abort: new AbortController(),
    };
    state.lastAskedMs = request.askedMs;
    requests.add(request);
    const answered = ask(runner, state, request)
      .catch((cause: unknown) => {
        logger.error(
          "A request for a job ended in a fault of our own",
          { runner: runner.name },
          cause,
        );
        state.rhythm = { ...state.rhythm, notBeforeMs: now() + 10_000 };
      })
      .finally(() => {
        requests.delete(request);
        under.delete(answered);
        deps.onAnswer();
      });
    under.add(answered);
  }

  /** What is silent at its moment is given up; ends when `over` is. */
  async function giveUpInTime() {
    const due = [...requests].map(({ askedMs, held, abort }) => ({
      at: Math.min(options.endsBy, held ? askedMs + silentMilliseconds : options.endsBy),
      abort,
    }));
    for (const { at, abort } of due.toSorted((one, other) => one.at - other.at)) {
      await deps.sleep(Math.max(0, at - now()), over.signal);
      if (over.signal.aborted) return;
      abort.abort();
    }
  }

  return {
    inFlight() {
      const counts = new Map<string, number>();
      for (const { runner } of requests) counts.set(runner, (counts.get(runner) ?? 0) + 1);
      return counts;
    },
    isBanned: (runner) =>
      bannedUntil(healthOf(stateOf(runner).credentials), now(), limitsOf(runner)) !== undefined,
    readyAt: (runner) => stateOf(runner).rhythm.notBeforeMs,
    lastAskedAt: (runner) => stateOf(runner).lastAskedMs,
    start,
    retire(wanted) {
      const known = new Set(wanted.map((runner) => stateOf(runner).credentials));
      for (const { credentials, held, askedMs, abort } of requests) {
        if (!known.has(credentials) && held && now() - askedMs >= silentMilliseconds) abort.abort();
      }
    },
    async drain() {
      void giveUpInTime();
      while (under.size > 0) await Promise.all(under);
      over.abort();
    },
    health: () => Object.fromEntries(health),
  };
}
