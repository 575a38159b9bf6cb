// A whole runner in a test: the stand-in, the real poll loop, the process executor, the real agent.

import { mkdtemp, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { sleep } from "../../src/agent/clock.ts";
import { shortToken } from "../../src/core/short-token.ts";
import { Secret } from "../../src/core/secret.ts";
import type { RunEvent } from "../../src/flow/run-events.ts";
import { runRunner } from "../../src/flow/run-runner.ts";
import { createGitLabClient } from "../../src/gitlab/client.ts";
import { credentialsKey, trackHealth } from "../../src/gitlab/health.ts";
import { runnerInfo } from "../../src/gitlab/info.ts";
import { openClaimBook } from "../../src/local/claims.ts";
import { createProcessExecutor } from "../../src/local/process-executor.ts";
import { startStandIn } from "../../src/stand-in/start.ts";
import type { StandInOptions } from "../../src/stand-in/start.ts";
import type { StandIn } from "../../src/stand-in/stand-in.ts";

export interface TestRunner {
  readonly gitlab: StandIn;
  readonly folder: string;
  readonly events: readonly RunEvent[];
  readonly diagnostics: readonly string[];
  /** First signal, second signal. */
  stop(): void;
  interrupt(): void;
  readonly ended: Promise<void>;
  close(): Promise<void>;
}

export interface TestRunnerOptions {
  readonly standIn?: StandInOptions;
  readonly concurrent?: number;
  readonly maxJobs?: number;
  readonly settings?: Readonly<Record<string, unknown>>;
}

export async function startRunner(options: TestRunnerOptions = {}): Promise<TestRunner> {
  const folder = await mkdtemp(join(tmpdir(), "burst-test-"));
  const gitlab = await startStandIn({ watched: true, longPollSeconds: 2, ...options.standIn });
  const token = new Secret(gitlab.runnerToken);
  const systemId = "s_test12345678".slice(0, 14);
  const client = createGitLabClient({
    url: gitlab.url,
    token,
    systemId,
    info: runnerInfo({ version: "0.0.0", executor: "process", shell: "sh" }),
    env: {},
  });
  const [stop, interrupt] = [new AbortController(), new AbortController()];
  const events: RunEvent[] = [];
  const diagnostics: string[] = [];
  const ended = runRunner(
    {
      gitlab: client,
      claims: openClaimBook(join(folder, "claims")),
      executor: createProcessExecutor({
        environment: process.env,
        nodeArguments: ["--import", "tsx"],
        secrets: [token.reveal()],
        onDiagnostic: (jobId, text) => diagnostics.push(`job ${jobId}: ${text}`),
      }),
      health: trackHealth(credentialsKey(gitlab.url, token)),
      sleep,
      now: Date.now,
      onEvent: (event) => events.push(event),
      onDiagnostic: (text) => diagnostics.push(text),
    },
    {
      concurrent: options.concurrent ?? 1,
      maxJobs: options.maxJobs ?? Number.POSITIVE_INFINITY,
      checkIntervalSeconds: 0.05,
      handOff: {
        version: 1,
        gitlab: { url: gitlab.url, systemId },
        runner: {
          name: hostname(),
          shortToken: shortToken(token.reveal()),
          version: "0.0.0",
          revision: "",
          shell: "sh",
          labels: {},
        },
        executor: "process",
        settings: options.settings ?? {},
      },
      buildsDir: join(folder, "builds"),
      cacheDir: join(folder, "cache"),
      stop: stop.signal,
      interrupt: interrupt.signal,
    },
  );
  return {
    gitlab,
    folder,
    events,
    diagnostics,
    stop: () => stop.abort(),
    interrupt: () => interrupt.abort(),
    ended,
    async close() {
      stop.abort();
      interrupt.abort();
      await client.close();
      await gitlab.close();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
