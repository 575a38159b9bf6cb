// What a fault test needs: a GitLab, `burst run` beside it as a real process, on request a bad network
// between them, and the questions that every such test asks.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RawJob } from "../../src/stand-in/raw-job.ts";
import { jsonBody } from "../../src/stand-in/request-log.ts";
import type { StandIn } from "../../src/stand-in/stand-in.ts";
import { startStandIn } from "../../src/stand-in/start.ts";
import type { StandInOptions } from "../../src/stand-in/start.ts";
import type { JobView } from "../../src/stand-in/views.ts";
import { builtSources } from "./built.ts";
import { startBurst } from "./burst-process.ts";
import type { BurstOptions, BurstProcess } from "./burst-process.ts";
import { pause } from "./processes.ts";
import { plainText } from "./project.ts";
import { startTcpProxy } from "./tcp-proxy.ts";
import type { TcpProxy } from "./tcp-proxy.ts";

export interface Scene {
  readonly gitlab: StandIn;
  /** In between only where asked for. */
  readonly proxy: TcpProxy;
  readonly home: string;
  /** Starts `burst run`; by default for one job. */
  burst(options?: Partial<BurstOptions>): BurstProcess;
  enqueue(job?: RawJob): Promise<JobView>;
  /** Waits until GitLab has this text in the job's trace. */
  traceHas(job: JobView, text: string, patienceMs?: number): Promise<void>;
  /** Waits for the job's end. */
  ended(job: JobView, patienceMs?: number): Promise<JobView>;
  /** The bodies of all PUTs with a final state that GitLab took. */
  finalUpdates(job: JobView): readonly Record<string, unknown>[];
  close(): Promise<void>;
}

export interface SceneOptions {
  readonly standIn?: StandInOptions;
  /** A TCP proxy between runner and GitLab. */
  readonly proxied?: boolean;
}

export async function openScene(options: SceneOptions = {}): Promise<Scene> {
  const built = await builtSources();
  const home = await mkdtemp(join(tmpdir(), "burst-fault-"));
  const { gitlab, proxy } = await startGitLab(options);
  const bursts: BurstProcess[] = [];
  const scene: Scene = {
    gitlab,
    proxy,
    home,
    burst(over = {}) {
      const burst = startBurst(built, {
        url: gitlab.url,
        token: gitlab.runnerToken,
        home,
        arguments: ["--max-jobs", "1"],
        ...over,
      });
      bursts.push(burst);
      return burst;
    },
    enqueue: (job) => gitlab.enqueue(job),
    async traceHas(job, text, patienceMs = 60_000) {
      const end = performance.now() + patienceMs;
      while (!gitlab.job(job.id).trace().includes(text)) {
        if (performance.now() > end) {
          throw new Error(`no "${text}" in the trace:\n${gitlab.job(job.id).trace().toString()}`);
        }
        await pause(25);
      }
    },
    ended: (job, patienceMs = 60_000) => gitlab.waitForJob(job.id, undefined, patienceMs),
    finalUpdates: (job) =>
      gitlab
        .requests()
        .filter(({ method, path }) => method === "PUT" && path === `/api/v4/jobs/${job.id}`)
        .filter(({ status }) => status === 200)
        .map(jsonBody)
        .filter(({ state }) => state !== "running"),
    async close() {
      await Promise.all(bursts.map((burst) => burst.close()));
      await proxy.close();
      await gitlab.close();
      await rm(home, { recursive: true, force: true, maxRetries: 3 });
    },
  };
  return scene;
}

/** The proxy must know GitLab's port, and GitLab the proxy's: the port is chosen, below those of the kernel. */
async function startGitLab(
  options: SceneOptions,
): Promise<{ readonly gitlab: StandIn; readonly proxy: TcpProxy }> {
  for (let tries = 20; ; tries--) {
    const port = 15_000 + Math.floor(Math.random() * 15_000);
    const proxy = await startTcpProxy(port);
    try {
      const gitlab = await startStandIn({
        port,
        watched: true,
        longPollSeconds: 2,
        ...(options.proxied === true ? { publicUrl: proxy.url } : {}),
        ...options.standIn,
      });
      return { gitlab, proxy };
    } catch (cause) {
      await proxy.close();
      if (tries === 0) throw cause;
    }
  }
}

/** The last line that a reader of the job's page sees. */
export function lastLine(job: JobView): string {
  return plainText(job.trace()).trimEnd().split("\n").at(-1) ?? "";
}
