// AWS and our four functions in this one process, for runs of hundreds of jobs: the functions' own flows with the SDK's
// real clients, against the fakes behind their one address. An invocation may die between any two of its calls.

import { createAdvanceDeps } from "../../lambdas/advance-deps.ts";
import { createDeps } from "../../lambdas/deps.ts";
import { taskOfEvent } from "../../src/aws/tasks.ts";
import { claimSchema, parseClaimId } from "../../src/core/claim.ts";
import { launchName } from "../../src/core/ladder.ts";
import type { RunTaskRequest } from "../../src/core/fargate-task.ts";
import type { FunctionVariables } from "../../src/core/function-environment.ts";
import { advanceClaim } from "../../src/flow/advance.ts";
import { createGitLabs } from "../../src/flow/gitlabs.ts";
import type { GitLabs } from "../../src/flow/gitlabs.ts";
import { poll } from "../../src/flow/poll.ts";
import { sweep } from "../../src/flow/sweep.ts";
import { sleepFor } from "../../src/gitlab/sleep.ts";
import type { Clock } from "../fakes/clock.ts";
import { createEcs } from "../fakes/ecs/ecs.ts";
import type { EcsOptions, TaskEvent } from "../fakes/ecs/ecs.ts";
import { createSimulated } from "../fakes/ecs/simulated.ts";
import type { SimulatedTask } from "../fakes/ecs/simulated.ts";
import { startFront } from "../fakes/front.ts";
import { createMemoryAws } from "../fakes/memory-aws.ts";

export interface OneProcessOptions {
  readonly clock: Clock;
  readonly play: (task: SimulatedTask) => void;
  readonly ecs?: Partial<Pick<EcsOptions, "vcpuQuota" | "buckets" | "missingMs">>;
  /** Every chance that is drawn. */
  readonly chance: () => number;
  /** How likely an invocation dies at a call of its own, before it or after it; events get lost, late, twice. */
  readonly risks: { death: number; lost: number; late: number; twice: number };
  readonly version?: string;
}

/** An invocation that is dead does nothing more. */
class Died extends Error {}

interface Life {
  dead: boolean;
}

export const variables: FunctionVariables = {
  BURST_ENVIRONMENT: "default",
  BURST_PARAMETERS: "/gitlab-burst/default",
  BURST_NAME_PREFIX: "burst",
  BURST_CLUSTER: "burst",
  BURST_SUBNETS: "subnet-1,subnet-2",
  BURST_SECURITY_GROUPS: "sg-1",
  BURST_ASSIGN_PUBLIC_IP: "ENABLED",
  BURST_STATE_BUCKET: "burst-state",
  BURST_CACHE_BUCKET: "burst-cache",
  BURST_LOG_GROUP: "/burst/jobs",
  BURST_EXECUTION_ROLE: "arn:aws:iam::123456789012:role/execution",
  BURST_AGENT_IMAGES: JSON.stringify({ x86_64: "burst-agent:1" }),
  BURST_LAUNCHER: "burst-launcher",
  BURST_KMS_KEY: "",
};

const longestSleepMs = 25;
/** As the functions' own patience with RunTask. */
const longestStartMs = 15_000;
/** The poller's own reserve at its end, and so much of polling. */
const pollerLifeMs = 75_000 + 120_000;

export type OneProcess = Awaited<ReturnType<typeof startOneProcess>>;

export async function startOneProcess(options: OneProcessOptions) {
  const { clock, chance, risks } = options;
  const claimed = new Set<number>();
  const phases = new Map<number, readonly string[]>();
  const memory = createMemoryAws(clock.now, (key, bytes) => {
    if (!key.includes("/claims/")) return;
    const { jobId, phase } = claimSchema.parse(JSON.parse(bytes.toString("utf8")));
    claimed.add(jobId);
    const { launch, taskArn } = { launch: undefined, taskArn: "", ...phase };
    const line = `${clock.now()} ${phase.kind} ${launch === undefined ? "" : launchName(launch)} ${taskArn}`;
    phases.set(jobId, [...(phases.get(jobId) ?? []), line.trim()]);
  });
  const backEnd = createSimulated(options.play);
  const problems: string[] = [];
  const invocations = { launcher: 0, reaper: 0, sweeper: 0, died: 0 };
  const open = new Set<Promise<void>>();
  const ecs = createEcs({ clock, backEnd, onEvent: hear, ...options.ecs });
  const front = await startFront({
    ecs,
    memory: memory.answer,
    lambda(request) {
      if (request.action !== "Invoke") return undefined;
      later("launcher", request.body, 0);
      if (chance() < risks.twice) later("launcher", request.body, chance() * 90_000);
      return Promise.resolve({ status: 202, body: "" });
    },
  });
  const environment = {
    ...variables,
    AWS_REGION: "us-east-1",
    AWS_ENDPOINT_URL: front.url,
    AWS_ACCESS_KEY_ID: "FUNCTIONS",
    AWS_SECRET_ACCESS_KEY: "nothing",
  };
  // The SDK's clients look for themselves.
  Object.assign(process.env, environment);
  const log = (message: string, fields: object = {}, cause?: unknown) => {
    if (cause instanceof Died || cause === undefined) return;
    const why = cause instanceof Error ? cause.message : JSON.stringify(cause);
    problems.push(`${message} ${JSON.stringify(fields)} ${why}`);
  };
  const quiet = {
    logger: { info: log, warn: log, error: log },
    metrics: { add: () => undefined, publish: () => undefined },
    random: chance,
  };
  const live = createAdvanceDeps("launcher", environment);
  /** When each start was asked for that has no answer yet. */
  const starting = new Map<symbol, number>();
  const tasks = {
    ...live.tasks,
    async run(request: RunTaskRequest) {
      const call = Symbol("run");
      starting.set(call, clock.now());
      return await live.tasks.run(request).finally(() => starting.delete(call));
    },
  };
  const base = { ...live, ...quiet, tasks };
  const pollBase = { ...createDeps("poller", environment), ...quiet };
  const pollGitLabs = createGitLabs({ version: "1.0.0", longestRetryWaitSeconds: 0 });

  function touch(life: Life): void {
    if (!life.dead && chance() < risks.death) {
      life.dead = true;
      invocations.died++;
    }
    if (life.dead) throw new Died("the invocation is dead");
  }
  /** Every method may be the last that is called. */
  function mortal<Port extends object>(life: Life, port: Port): Port {
    return new Proxy(port, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return async (...given: unknown[]) => {
          touch(life);
          const result: unknown = await Reflect.apply(value, target, given);
          touch(life);
          return result;
        };
      },
    });
  }
  const mortalGitLabs = (life: Life, gitlabs: Pick<GitLabs, "at">): GitLabs => ({
    at: (place) => mortal(life, gitlabs.at(place)),
    close: () => Promise.resolve(),
  });
  const everyLife = (life: Life) => ({
    // A dead one does not wait for anything either.
    now: () => (life.dead ? Number.MAX_SAFE_INTEGER : clock.now()),
    sleep: (milliseconds: number, signal?: AbortSignal) =>
      sleepFor(Math.min(milliseconds, longestSleepMs), signal),
  });
  const advanceDeps = (life: Life) => ({
    ...base,
    ...everyLife(life),
    objects: mortal(life, base.objects),
    tasks: mortal(life, base.tasks),
    secrets: mortal(life, base.secrets),
    functions: mortal(life, base.functions),
    gitlabs: mortalGitLabs(life, base.gitlabs),
    loadRunner: mortal(life, { load: base.loadRunner }).load,
  });

  async function run(name: "launcher" | "reaper", event: unknown): Promise<void> {
    invocations[name]++;
    const deps = advanceDeps({ dead: false });
    if (name === "launcher") {
      await advanceClaim(deps, (event as { claim: string }).claim);
      return;
    }
    const task = taskOfEvent((event as TaskEvent).detail);
    if (task.lastStatus !== "STOPPED" || parseClaimId(task.startedBy) === undefined) return;
    await advanceClaim(deps, task.startedBy, task);
  }
  /** As Lambda does it: twice more where it has failed. */
  function later(name: "launcher" | "reaper", event: unknown, delayMs: number, tried = 0): void {
    clock.after(delayMs, () => {
      const work = run(name, event)
        .catch((cause: unknown) => {
          if (!(cause instanceof Died)) problems.push(`${name}: ${String(cause)}`);
          if (tried < 2) later(name, event, 60_000 * (tried + 1), tried + 1);
        })
        .finally(() => open.delete(work));
      open.add(work);
    });
  }
  function hear(event: TaskEvent): void {
    if (event.detail["lastStatus"] !== "STOPPED" || chance() < risks.lost) return;
    later("reaper", event, chance() < risks.late ? chance() * 300_000 : 0);
    if (chance() < risks.twice) later("reaper", event, chance() * 120_000);
  }

  return {
    front,
    ecs,
    memory,
    backEnd,
    /** What the functions said of trouble. */
    problems,
    invocations,
    /** What each record has been through. */
    phases: phases as ReadonlyMap<number, readonly string[]>,
    /** Jobs that have had a record. */
    claimed: claimed as ReadonlySet<number>,
    busy: () => open.size,
    launch: (claim: string) => run("launcher", { claim }),
    async sweep(): Promise<void> {
      invocations.sweeper++;
      await sweep(advanceDeps({ dead: false }), clock.now() + 240_000).catch((cause: unknown) => {
        if (!(cause instanceof Died)) problems.push(`sweeper: ${String(cause)}`);
      });
    },
    /** A life of the poller. */
    async poll(holder: string, lifeMs = pollerLifeMs): Promise<void> {
      const life = { dead: false };
      const deps = {
        ...pollBase,
        ...everyLife(life),
        objects: mortal(life, pollBase.objects),
        tasks: mortal(life, pollBase.tasks),
        functions: mortal(life, pollBase.functions),
        gitlabs: mortalGitLabs(life, pollGitLabs),
        loadRunners: mortal(life, { load: pollBase.loadRunners }).load,
        launcher: variables.BURST_LAUNCHER,
      };
      await poll(deps, { holder, killedAt: clock.now() + lifeMs }).catch((cause: unknown) => {
        if (!(cause instanceof Died)) problems.push(`poller: ${String(cause)}`);
      });
    },
    /** Time that passes, but for no start more than it may take: its answer comes, or nobody waits for it any more. */
    async advance(milliseconds: number): Promise<void> {
      while (Math.min(...starting.values()) < clock.now() - longestStartMs) await sleepFor(5);
      await clock.advance(milliseconds);
    },
    async settled(): Promise<void> {
      while (open.size > 0) await Promise.allSettled(open);
    },
    async close(): Promise<void> {
      await Promise.allSettled(open);
      await pollGitLabs.close();
      await (base.gitlabs as GitLabs).close();
      clock.close();
      await ecs.close();
      await front.close();
    },
  };
}
