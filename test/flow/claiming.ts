// A runner's deps in a test: the stand-in, the real client and claim book, and an executor whose agents do
// what the test says instead of being processes.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { HandOff } from "../../src/core/hand-off.ts";
import { agentExit } from "../../src/core/hand-off.ts";
import { Secret } from "../../src/core/secret.ts";
import { defaultSettings } from "../../src/core/settings.ts";
import type { RunEvent } from "../../src/flow/run-events.ts";
import type { RunnerDeps, RunnerOptions } from "../../src/flow/run-runner.ts";
import type { GitLabClient } from "../../src/gitlab/client.ts";
import { credentialsKey, trackHealth } from "../../src/gitlab/health.ts";
import { openClaimBook } from "../../src/local/claims.ts";
import type { AgentExit, Launch, RunningJob } from "../../src/local/executor.ts";
import type { StandInOptions } from "../../src/stand-in/start.ts";
import { startStandIn } from "../../src/stand-in/start.ts";
import { newClient } from "../gitlab/new-client.ts";

/** What an agent does, given its hand-off. */
export type Agent = (launch: Launch, handOff: HandOff, gitlab: GitLabClient) => Promise<AgentExit>;

/** One that runs a job without any stage and delivers it. */
export const goodAgent: Agent = async ({ jobId, onReport }, handOff, gitlab) => {
  onReport({ kind: "started" });
  onReport({ kind: "result", result: "success" });
  await gitlab.updateJob({ jobId, token: tokenOf(handOff), state: "success" });
  return exited(agentExit.confirmed);
};

export function exited(code: number | null, signal: string | null = null): AgentExit {
  return { kind: "exited", code, signal };
}

export function tokenOf(handOff: HandOff): Secret {
  const payload = JSON.parse(handOff.job) as { readonly token: string };
  return new Secret(payload.token);
}

export interface ClaimingOptions {
  readonly standIn?: StandInOptions;
  readonly agent?: Agent;
  /** Instead of the whole launch. */
  readonly launch?: (launch: Launch) => Promise<RunningJob>;
}

export async function claiming({ standIn, agent = goodAgent, launch }: ClaimingOptions = {}) {
  const folder = await mkdtemp(join(tmpdir(), "burst-flow-"));
  const gitlab = await startStandIn(standIn);
  onTestFinished(async () => {
    await gitlab.close();
    await rm(folder, { recursive: true });
  });
  const token = new Secret(gitlab.runnerToken);
  const { client, waits } = newClient({ url: gitlab.url, token });
  const [stop, interrupt] = [new AbortController(), new AbortController()];
  const events: RunEvent[] = [];
  const diagnostics: string[] = [];
  const handOffs: HandOff[] = [];
  const notices: string[] = [];
  const deps: RunnerDeps = {
    gitlab: client,
    claims: openClaimBook(folder),
    health: trackHealth(credentialsKey(gitlab.url, token)),
    executor: {
      name: "process",
      agentImage: undefined,
      sweep: () => Promise.resolve(),
      launch: async (request) => {
        if (launch !== undefined) return await launch(request);
        const folders = { control: folder, builds: "/builds", cache: "/cache", scratch: folder };
        const handOff = request.prepare({ folders });
        handOffs.push(handOff);
        notices.push(...request.notices);
        const finished = agent(request, handOff, client);
        return { agentPid: process.pid, finished, interrupt: () => undefined };
      },
    },
    sleep: (milliseconds) => {
      waits.push(milliseconds / 1000);
      return Promise.resolve();
    },
    now: () => performance.now(),
    wallClock: Date.now,
    onEvent: (event) => events.push(event),
    onDiagnostic: (text) => diagnostics.push(text),
  };
  const options: RunnerOptions = {
    concurrent: 1,
    maxJobs: Number.POSITIVE_INFINITY,
    checkIntervalSeconds: 3,
    handOff: {
      version: 1,
      gitlab: { url: gitlab.url, systemId: "s_0123456789ab" },
      runner: { name: "r", shortToken: "t", version: "1", revision: "", shell: "sh", labels: {} },
      executor: "process",
      settings: {},
    },
    settings: defaultSettings(),
    stop: stop.signal,
    interrupt: interrupt.signal,
  };
  /** Method, path and answer of what GitLab was asked about jobs. */
  const calls = () =>
    gitlab
      .requests()
      .filter(({ path }) => /\/jobs\/\d/.test(path))
      .map(({ method, path, status }) => `${method} ${path.replace("/api/v4", "")} ${status}`);
  return {
    gitlab,
    deps,
    options,
    stop: () => stop.abort(),
    interrupt: () => interrupt.abort(),
    events,
    diagnostics,
    handOffs,
    notices,
    waits,
    calls,
    folder,
  };
}
