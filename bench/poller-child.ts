// A poller's process that polls so many times, life after life, on a clock that its own waiting moves: what it keeps in
// memory after a hundred polls, and at the end.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createDeps } from "../lambdas/deps.ts";
import { createGitLabs } from "../src/flow/gitlabs.ts";
import { poll } from "../src/flow/poll.ts";
import { childTask, tellResult } from "./measured-child.ts";

export interface PollerTask {
  readonly polls: number;
  readonly environment: Readonly<Record<string, string>>;
}

export interface PollerMemory {
  /** Bytes in use after a hundred polls, and after all. */
  readonly early: number;
  readonly late: number;
  readonly polls: number;
}

const earlyPolls = 100;
/** As long as the function may live. */
const lifeMs = 15 * 60_000;

function usedBytes(collect: () => void): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function pollOn({ polls, environment }: PollerTask): Promise<PollerMemory> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  Object.assign(process.env, environment);
  const quiet = {
    logger: { info: () => undefined, warn: complain, error: complain },
    metrics: { add: () => undefined, publish: () => undefined },
  };
  let time = Date.now();
  let asked = 0;
  let early = 0;
  const gitlabs = createGitLabs({ version: "1.0.0", longestRetryWaitSeconds: 0 });
  const deps = {
    ...createDeps("poller", environment),
    ...quiet,
    launcher: environment["BURST_LAUNCHER"] ?? "",
    now: () => time,
    async sleep(milliseconds: number, signal?: AbortSignal) {
      // An answer under way comes first: then nobody waits any more.
      for (let turn = 0; turn < 200 && signal?.aborted === false; turn++) await breath();
      if (signal?.aborted !== true) time += milliseconds;
    },
    gitlabs: {
      ...gitlabs,
      at(place: Parameters<typeof gitlabs.at>[0]) {
        const gitlab = gitlabs.at(place);
        return {
          ...gitlab,
          async requestJob(input: Parameters<typeof gitlab.requestJob>[0]) {
            asked++;
            if (asked === earlyPolls) early = usedBytes(collect);
            return await gitlab.requestJob(input);
          },
        };
      },
    },
  };
  for (let life = 0; asked < polls; life++) {
    await poll(deps, { holder: `bench ${life}`, killedAt: time + lifeMs });
  }
  const late = usedBytes(collect);
  await gitlabs.close();
  return { early, late, polls: asked };
}

function complain(message: string): void {
  throw new Error(message);
}

function breath(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

tellResult(await pollOn(childTask() as PollerTask));
process.exit(0);
