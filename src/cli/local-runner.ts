// A runner on this machine, wired together: client, claims, executor, poll loop. `burst run`, `burst demo`
// and the tests all run this one.

import { hostname } from "node:os";
import { resolve } from "node:path";
import { sleep, steadyNow } from "../agent/clock.ts";
import { SettingsError } from "../core/errors.ts";
import type { Secret } from "../core/secret.ts";
import type { Settings } from "../core/settings.ts";
import { shortToken } from "../core/short-token.ts";
import type { RunEvent } from "../flow/run-events.ts";
import { runRunner } from "../flow/run-runner.ts";
import { keepSettling } from "../flow/settle-abandoned.ts";
import { createGitLabClient } from "../gitlab/client.ts";
import type { GitLabClient } from "../gitlab/client.ts";
import { credentialsKey, trackHealth } from "../gitlab/health.ts";
import { runnerInfo } from "../gitlab/info.ts";
import { readSystemId } from "../gitlab/system-id.ts";
import { openClaimBook } from "../local/claims.ts";
import type { Engine } from "../local/docker/engine.ts";
import type { Executor } from "../local/executor.ts";
import { createProcessExecutor } from "../local/process-executor.ts";

export interface LocalRunnerOptions {
  readonly executor: "process" | "docker";
  /** For the docker executor. */
  readonly agentImage?: string | undefined;
  readonly url: string;
  readonly token: Secret;
  readonly settings: Settings;
  /** The same as they were read, for the agent to read again. */
  readonly rawSettings: Readonly<Record<string, unknown>>;
  readonly version: string;
  readonly name: string | undefined;
  readonly concurrent: number;
  readonly maxJobs: number;
  /** Keeps the system id and the claims: `./.burst`. */
  readonly stateDir: string;
  readonly buildsDir: string;
  readonly cacheDir: string;
  /** PEM text of certificates to trust besides the system's. */
  readonly ca?: string | undefined;
  /** What Node is started with for an agent; by default as this process was. */
  readonly nodeArguments?: readonly string[] | undefined;
  readonly stop: AbortSignal;
  readonly interrupt: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
  /** GitLab has been asked whether it knows the runner, and jobs are asked for from now on. */
  readonly onReady?: () => void;
  readonly onDiagnostic: (text: string) => void;
}

/**
 * Of the runner's own calls, none of which carries much. GitLab holds a request for a job for less than a
 * minute: what is silent for longer has been lost, and with it the job that it may have brought.
 */
const callTimeouts = { totalSeconds: 180, responseHeaderSeconds: 120 };

/** Runs until `maxJobs` are done or `stop` is raised. Throws SettingsError for what can never work. */
export async function runLocally(options: LocalRunnerOptions): Promise<void> {
  const { url, token, settings, version, onDiagnostic } = options;
  const systemId = await readSystemId(resolve(options.stateDir, "system_id"));
  const shell = "sh";
  const tls = options.ca === undefined ? {} : { ca: options.ca };
  const gitlab = createGitLabClient({
    url,
    token,
    systemId,
    info: runnerInfo({ version, executor: options.executor, shell, labels: settings.labels }),
    ...tls,
    timeouts: callTimeouts,
  });
  const over = new AbortController();
  let settling: Promise<void> | undefined;
  let executor: ClosableExecutor | undefined;
  try {
    await verify(gitlab, onDiagnostic, url);
    options.onReady?.();
    const key = credentialsKey(url, token);
    const claims = openClaimBook(resolve(options.stateDir, "claims", key.slice(0, 16)));
    const health = trackHealth(key, {
      unhealthyRequestsLimit: settings.unhealthy_requests_limit,
      unhealthyIntervalSeconds: settings.unhealthy_interval,
    });
    executor = await makeExecutor(options, key);
    await executor.sweep();
    const clocks = { now: steadyNow, wallClock: Date.now };
    settling = keepSettling(
      {
        gitlab,
        claims,
        settings,
        wallClock: Date.now,
        sleep: (milliseconds) => sleep(milliseconds, over.signal),
        onDiagnostic,
      },
      over.signal,
    );
    const { onEvent } = options;
    const deps = { gitlab, claims, health, executor, sleep, ...clocks, onEvent, onDiagnostic };
    await runRunner(deps, {
      concurrent: options.concurrent,
      maxJobs: options.maxJobs,
      checkIntervalSeconds: settings.check_interval,
      handOff: {
        version: 1,
        gitlab: { url, systemId, ...tls },
        runner: {
          name: options.name ?? (settings.name || hostname()),
          shortToken: shortToken(token.reveal()),
          version,
          revision: "",
          shell,
          labels: settings.labels,
        },
        executor: executor.name,
        settings: options.rawSettings,
      },
      settings,
      stop: options.stop,
      interrupt: options.interrupt,
    });
  } finally {
    over.abort();
    await executor?.close?.();
    // Ends what settling may still wait for; what it has not told stays written down.
    await gitlab.close();
    await settling;
  }
}

interface ClosableExecutor extends Executor {
  close?(): Promise<void>;
}

async function makeExecutor(options: LocalRunnerOptions, key: string): Promise<ClosableExecutor> {
  const onDiagnostic = (jobId: number, text: string) =>
    options.onDiagnostic(jobId === 0 ? text : `job ${jobId}: ${text}`);
  if (options.executor === "docker") {
    // Loaded only where it is used: the engine's client is the heaviest of our libraries.
    const { createDockerExecutor } = await import("../local/docker/docker-executor.ts");
    const { connectEngine } = await import("../local/docker/engine.ts");
    const engine = await connectEngine(process.env);
    return await createDockerExecutor({
      engine,
      agentImage: options.agentImage ?? (await madeAgentImage(engine, options)),
      url: options.url,
      runnerKey: key.slice(0, 16),
      onDiagnostic,
    });
  }
  return createProcessExecutor({
    buildsDir: resolve(options.buildsDir),
    cacheDir: resolve(options.cacheDir),
    environment: process.env,
    nodeArguments: options.nodeArguments ?? process.execArgv,
    secrets: [options.token.reveal()],
    onDiagnostic,
  });
}

/** The agent's own image, made on first use. */
async function madeAgentImage(engine: Engine, options: LocalRunnerOptions): Promise<string> {
  const { agentImageName, ensureAgentImage } =
    await import("../local/agent-image/ensure-agent-image.ts");
  const { defaultLayerFolder } = await import("../local/agent-image/debian-layer.ts");
  const name = agentImageName(options.version);
  const image = await ensureAgentImage(engine, {
    name,
    sources: ["dockerfile", "debian"],
    layerFolder: defaultLayerFolder(process.env),
    notice: options.onDiagnostic,
  });
  if (image.kind === "ready") return name;
  throw new SettingsError(`${image.message}\nGive one with --agent-image`);
}

/** A token or address that cannot work is told now; a GitLab that is merely away is waited for. */
async function verify(
  gitlab: GitLabClient,
  diagnose: (text: string) => void,
  url: string,
): Promise<void> {
  const reply = await gitlab.verifyRunner();
  if (reply.kind === "valid") return;
  if (reply.kind === "invalid") {
    throw new SettingsError(
      `--token: GitLab does not accept it (${reply.message}): give the glrt- token of a runner that exists there`,
    );
  }
  if (reply.kind === "rejected" && reply.status === 404) {
    throw new SettingsError(
      `--url: there is no GitLab at ${url} (${reply.message}): give its address, without a group's or project's path`,
    );
  }
  diagnose(`${reply.message.replace(/\.?$/, ".")} Trying again.`);
}
