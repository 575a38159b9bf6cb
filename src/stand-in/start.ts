// Starts a stand-in for GitLab: one HTTP server for the API and git, one for its storage, a folder
// for what they keep. Everything is gone after close().

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BadOption } from "./bad-option.ts";
import { dropStale } from "./engine.ts";
import { Faults } from "./faults.ts";
import { receive } from "./front-door.ts";
import { importFolder } from "./import-project.ts";
import { listen, urlHost } from "./listener.ts";
import type { RateLimits } from "./rate-limit.ts";
import { gitLabLimits, RateLimiter } from "./rate-limit.ts";
import { RequestLog } from "./request-log.ts";
import { dispatcher } from "./routes.ts";
import type { StandIn } from "./stand-in.ts";
import { standInOf } from "./stand-in.ts";
import { startStorage } from "./storage.ts";
import { apiToken, runnerToken } from "./tokens.ts";
import type { Site } from "./variables.ts";
import type { StandInEvent } from "./world.ts";
import { World } from "./world.ts";

export interface StandInOptions {
  /** Address to listen on. @default 127.0.0.1 */
  readonly listen?: string;
  /** @default 0, any free port */
  readonly port?: number;
  /** Folders; each becomes `root/<its name>`. */
  readonly projects?: readonly string[];
  /** @default a new one */
  readonly runnerToken?: string;
  /** Tags of the first runner. @default none */
  readonly runnerTags?: readonly string[];
  /** Lets runners register in GitLab's old way. @default undefined: 410 */
  readonly registrationToken?: string;
  /** How clients reach the stand-in. @default from the address and port it listens on */
  readonly publicUrl?: string;
  /** Host and port of a container registry jobs may use. @default none */
  readonly registry?: string;
  /** How long `/jobs/request` is held; 0 is never. @default 0 */
  readonly longPollSeconds?: number;
  /** @default 3600 */
  readonly jobTimeoutSeconds?: number;
  /** @default 100 MiB */
  readonly traceLimitBytes?: number;
  /** @default 100 MiB */
  readonly artifactLimitBytes?: number;
  /**
   * Refuse downloads to which a job token was carried along. The official runner's HTTP client does
   * carry it, and would try again without the redirect. @default true
   */
  readonly storageRefusesTokens?: boolean;
  /** How long a finished log takes to be stored; until then the final PUT is answered 202. @default 0 */
  readonly traceCommitDelaySeconds?: number;
  /** Ask for log updates every 3 s instead of every minute. @default false */
  readonly watched?: boolean;
  /** @default GitLab's own */
  readonly rateLimits?: Partial<RateLimits>;
  /** Milliseconds since 1970. @default Date.now */
  readonly now?: () => number;
  readonly onEvent?: (event: StandInEvent) => void;
}

const mebibyte = 1024 * 1024;
const housekeepingMilliseconds = 5000;

export async function startStandIn(options: StandInOptions = {}): Promise<StandIn> {
  const now = options.now ?? Date.now;
  const directory = await mkdtemp(join(tmpdir(), "burst-stand-in-"));
  const cleanups: (() => Promise<void>)[] = [
    () => rm(directory, { recursive: true, force: true, maxRetries: 3 }),
  ];
  const closing = new AbortController();
  const close = async () => {
    closing.abort();
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  };

  try {
    const home = join(directory, "home");
    await Promise.all(
      [home, join(directory, "traces"), join(directory, "artifacts")].map((path) => mkdir(path)),
    );
    const world = new World({
      directory,
      now,
      jobTimeoutSeconds: options.jobTimeoutSeconds ?? 3600,
      traceCommitDelaySeconds: options.traceCommitDelaySeconds ?? 0,
      traceLimitBytes: options.traceLimitBytes ?? 100 * mebibyte,
      artifactLimitBytes: options.artifactLimitBytes ?? 100 * mebibyte,
      watched: options.watched ?? false,
    });
    if (options.onEvent !== undefined) world.listen(options.onEvent);
    const runner = world.runners.create(
      { description: "stand-in", tags: options.runnerTags ?? [] },
      options.runnerToken ?? runnerToken(),
    );
    for (const folder of options.projects ?? []) await importFolder(world, home, folder);

    const address = options.listen ?? "127.0.0.1";
    const log = new RequestLog();
    const faults = new Faults();
    const token = apiToken();
    const publicHost = hostOf(options.publicUrl) ?? urlHost(address);
    const storage = await startStorage({
      listen: address,
      host: publicHost,
      now,
      refuseTokens: options.storageRefusesTokens ?? true,
    });
    cleanups.push(() => storage.close());

    const site: { -readonly [Key in keyof Site]: Site[Key] } = {
      url: "",
      registry: options.registry,
    };
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
    const listener = await listen(address, options.port ?? 0, (request, response) => {
      dropStale(world);
      void receive({ now, log, faults, closing: closing.signal, dispatch }, request, response);
    });
    cleanups.push(() => listener.close());
    site.url =
      options.publicUrl?.replace(/\/+$/, "") ?? `http://${publicHost}:${String(listener.port)}`;
    world.url = site.url;

    const housekeeping = setInterval(() => dropStale(world), housekeepingMilliseconds);
    housekeeping.unref();
    cleanups.push(() => Promise.resolve(clearInterval(housekeeping)));
    return standInOf({ world, site, home, runner, apiToken: token, storage, faults, log, close });
  } catch (error) {
    await close();
    throw error;
  }
}

function hostOf(url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new BadOption(`the public URL ${url} is not an http:// or https:// address`);
  }
  return new URL(url).hostname;
}
