// Starts a stand-in for GitLab: one HTTP server for the API and git, one for its storage, a folder
// for what they keep. Everything is gone after close().

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Faults } from "./faults.ts";
import { receive } from "./front-door.ts";
import type { Exchange } from "./http/exchange.ts";
import { importFolder } from "./import-project.ts";
import { listen, urlHost } from "./listener.ts";
import type { StandInOptions } from "./options.ts";
import { publicHost } from "./options.ts";
import { gitLabLimits, RateLimiter } from "./rate-limit.ts";
import { RequestLog } from "./request-log.ts";
import { dispatcher } from "./routes.ts";
import { RunningStandIn } from "./running.ts";
import type { StandIn } from "./stand-in.ts";
import { dropStale } from "./stale-jobs.ts";
import { startStorage } from "./storage.ts";
import { apiToken, runnerToken } from "./tokens.ts";
import type { Site } from "./variables.ts";
import { World } from "./world.ts";

export type { StandInOptions } from "./options.ts";

type Cleanup = () => Promise<void> | void;

const mebibyte = 1024 * 1024;
const housekeepingMilliseconds = 5000;

export async function startStandIn(options: StandInOptions = {}): Promise<StandIn> {
  const directory = await mkdtemp(join(tmpdir(), "burst-stand-in-"));
  const cleanups: Cleanup[] = [
    () => rm(directory, { recursive: true, force: true, maxRetries: 3 }),
  ];
  const close = async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  };
  try {
    const home = join(directory, "home");
    const world = await createWorld(directory, home, options);
    return await open(world, home, options, cleanups, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function createWorld(
  directory: string,
  home: string,
  options: StandInOptions,
): Promise<World> {
  const folders = [home, join(directory, "traces"), join(directory, "artifacts")];
  await Promise.all(folders.map((folder) => mkdir(folder)));
  const world = new World({
    directory,
    now: options.now ?? Date.now,
    jobTimeoutSeconds: options.jobTimeoutSeconds ?? 3600,
    traceCommitDelaySeconds: options.traceCommitDelaySeconds ?? 0,
    traceLimitBytes: options.traceLimitBytes ?? 100 * mebibyte,
    artifactLimitBytes: options.artifactLimitBytes ?? 100 * mebibyte,
    watched: options.watched ?? false,
  });
  if (options.onEvent !== undefined) world.listen(options.onEvent);
  for (const folder of options.projects ?? []) await importFolder(world, home, folder);
  return world;
}

async function open(
  world: World,
  home: string,
  options: StandInOptions,
  cleanups: Cleanup[],
  close: () => Promise<void>,
): Promise<StandIn> {
  const now = () => world.now();
  const address = options.listen ?? "127.0.0.1";
  const host = publicHost(options) ?? urlHost(address);
  const refuseTokens = options.storageRefusesTokens ?? true;
  const storage = await startStorage({ listen: address, host, now, refuseTokens });
  cleanups.push(() => storage.close());

  // The URL is known only once the server listens; nothing asks for it before.
  const site: { -readonly [Key in keyof Site]: Site[Key] } = {
    url: "",
    registry: options.registry,
  };
  const log = new RequestLog();
  const faults = new Faults();
  const token = apiToken();
  const closing = new AbortController();
  const dispatch = dispatcher({
    world,
    site,
    storage,
    faults,
    home,
    apiToken: token,
    registrationToken: options.registrationToken,
    longPollSeconds: options.longPollSeconds ?? 0,
    limiter: new RateLimiter(now),
    limits: { ...gitLabLimits, ...options.rateLimits },
  });
  const door = {
    now,
    log,
    faults,
    closing: closing.signal,
    dispatch: (exchange: Exchange) => {
      dropStale(world);
      return dispatch(exchange);
    },
  };
  const listener = await listen(address, options.port ?? 0, (request, response) => {
    void receive(door, request, response);
  });
  cleanups.push(() => world.closeTraces());
  cleanups.push(() => listener.close());
  cleanups.push(() => closing.abort());
  site.url = options.publicUrl?.replace(/\/+$/, "") ?? `http://${host}:${String(listener.port)}`;

  const housekeeping = setInterval(() => dropStale(world), housekeepingMilliseconds);
  housekeeping.unref();
  cleanups.push(() => clearInterval(housekeeping));
  const runner = world.runners.create(
    { description: "stand-in", tags: options.runnerTags ?? [] },
    options.runnerToken ?? runnerToken(),
  );
  const parts = { world, site, home, runner, apiToken: token, storage, faults, log, close };
  return new RunningStandIn(parts);
}
