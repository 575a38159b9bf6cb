// A whole runner in a test: the stand-in, the real poll loop, an executor (processes, unless told), the real agent.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageVersion } from "../../src/cli/package-version.ts";
import { runLocally } from "../../src/cli/local-runner.ts";
import { Secret } from "../../src/core/secret.ts";
import { parseSettings } from "../../src/core/settings.ts";
import type { RunEvent } from "../../src/flow/run-events.ts";
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
  /** What Node is started with for an agent. @default its sources, by tsx */
  readonly nodeArguments?: readonly string[];
  /** @default "process" */
  readonly executor?: "process" | "docker";
}

export async function startRunner(options: TestRunnerOptions = {}): Promise<TestRunner> {
  const folder = await mkdtemp(join(tmpdir(), "burst-test-"));
  const gitlab = await startStandIn({ watched: true, longPollSeconds: 2, ...options.standIn });
  const rawSettings = { check_interval: 0, ...options.settings };
  const parsed = parseSettings(rawSettings, "the test's settings");
  if (parsed.kind === "invalid") throw new Error(parsed.message);
  const [stop, interrupt] = [new AbortController(), new AbortController()];
  const events: RunEvent[] = [];
  const diagnostics: string[] = [];
  const ended = runLocally({
    url: gitlab.url,
    token: new Secret(gitlab.runnerToken),
    settings: parsed.settings,
    rawSettings,
    // In containers it names the agent's image.
    version: options.executor === "docker" ? packageVersion() : "0.0.0",
    name: "test runner",
    executor: options.executor ?? "process",
    concurrent: options.concurrent ?? 1,
    maxJobs: options.maxJobs ?? Number.POSITIVE_INFINITY,
    stateDir: folder,
    buildsDir: join(folder, "builds"),
    cacheDir: join(folder, "cache"),
    nodeArguments: options.nodeArguments ?? ["--import", "tsx"],
    stop: stop.signal,
    interrupt: interrupt.signal,
    onEvent: (event) => events.push(event),
    onDiagnostic: (text) => diagnostics.push(text),
  });
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
      await gitlab.close();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
