// A claim in a test: the stand-in for GitLab over HTTP, bucket, ECS and Secrets Manager in memory, a clock that is set,
// and an agent that does what an agent leaves behind.

import { createHash } from "node:crypto";
import { onTestFinished } from "vitest";
import type { AgentReport } from "../../src/core/hand-off.ts";
import { handOffSchema } from "../../src/core/hand-off.ts";
import type { HandOff } from "../../src/core/hand-off.ts";
import { claimSchema, formatClaimId, jobKeyText } from "../../src/core/claim.ts";
import type { ClaimId, ClaimRecord } from "../../src/core/claim.ts";
import { functionEnvironmentSchema } from "../../src/core/function-environment.ts";
import { Secret } from "../../src/core/secret.ts";
import { parseSettings } from "../../src/core/settings.ts";
import { stateKeys } from "../../src/core/state-keys.ts";
import type { TaskState } from "../../src/core/task-state.ts";
import { advanceClaim } from "../../src/flow/advance.ts";
import type { AdvanceDeps } from "../../src/flow/advance-deps.ts";
import { sweep } from "../../src/flow/sweep.ts";
import { startStandIn } from "../../src/stand-in/start.ts";
import type { GitLabClient } from "../../src/gitlab/client.ts";
import type { StandIn } from "../../src/stand-in/stand-in.ts";
import type { RawJob } from "../../src/stand-in/raw-job.ts";
import { newClient } from "../gitlab/new-client.ts";
import { memoryObjects } from "./memory-objects.ts";
import { container, memoryTasks } from "./memory-tasks.ts";

export const variables = {
  BURST_ENVIRONMENT: "test",
  BURST_PARAMETERS: "/gitlab-burst/test",
  BURST_NAME_PREFIX: "gitlab-burst-test",
  BURST_CLUSTER: "burst",
  BURST_SUBNETS: "subnet-a,subnet-b",
  BURST_SECURITY_GROUPS: "sg-1",
  BURST_ASSIGN_PUBLIC_IP: "ENABLED",
  BURST_STATE_BUCKET: "state",
  BURST_CACHE_BUCKET: "cache",
  BURST_LOG_GROUP: "/gitlab-burst/test/jobs",
  BURST_EXECUTION_ROLE: "arn:aws:iam::123456789012:role/execution",
  BURST_AGENT_IMAGES: '{"x86_64":"example.com/agent:1"}',
  BURST_LAUNCHER: "launcher",
} as const;

export interface AdvancingOptions {
  /** Instead of one of its own. */
  readonly gitlab?: StandIn;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly job?: RawJob;
}

export const beginning = Date.parse("2030-01-01T00:00:00Z");
const sha256Hex = (text: string) => createHash("sha256").update(text).digest("hex");

/** Called around every effect on the world; what it throws ends the visit there. */
export type Fault = (operation: string, moment: "before" | "after") => void;

export async function advancing(options: AdvancingOptions = {}) {
  const { settings = {}, job = {} } = options;
  const gitlab = options.gitlab ?? (await startStandIn());
  if (options.gitlab === undefined) onTestFinished(() => gitlab.close());
  const token = new Secret(gitlab.runnerToken);
  const { client } = newClient({ url: gitlab.url, token });
  let time = beginning;
  const now = () => time;
  const objects = memoryObjects(now);
  const tasks = memoryTasks(now);
  const secrets = new Map<string, { readonly createdAt: number; lastUsedAt?: number }>();
  const invoked: unknown[] = [];
  const slept: number[] = [];
  /** Names of runners whose settings were asked for. */
  const looks: string[] = [];
  const metrics: Record<string, number> = {};
  const log: { readonly message: string; readonly fields: unknown; readonly cause?: unknown }[] =
    [];
  const rawSettings = { image: "alpine:3.20", ...settings };
  const parsed = parseSettings(rawSettings, "test");
  if (parsed.kind === "invalid") throw new Error(parsed.message);
  const runner = {
    name: "team",
    settings: parsed.settings,
    rawSettings,
    token,
    systemId: "s_0123456789ab",
  };
  const vault: { fault: Fault | undefined } = { fault: undefined };
  const deps: AdvanceDeps = {
    environment: functionEnvironmentSchema.parse(variables),
    region: "eu-west-1",
    version: "1.2.3",
    bootScript: "echo boot",
    objects,
    cacheObjects: memoryObjects(now, "cache"),
    tasks,
    secrets: {
      ensure: async (name) => {
        await Promise.resolve();
        vault.fault?.("ensure", "before");
        if (!secrets.has(name)) secrets.set(name, { createdAt: time });
        vault.fault?.("ensure", "after");
        return `arn:aws:secretsmanager:eu-west-1:123456789012:secret:${name}-AbCdEf`;
      },
      remove: async (name) => {
        await Promise.resolve();
        vault.fault?.("remove", "before");
        secrets.delete(name);
        vault.fault?.("remove", "after");
      },
      list: async (prefix) =>
        await Promise.resolve(
          [...secrets]
            .filter(([name]) => name.startsWith(prefix))
            .map(([name, { createdAt, lastUsedAt }]) => ({ name, createdAt, lastUsedAt })),
        ),
    },
    functions: {
      invoke: async (name, event) => {
        invoked.push({ name, event });
        await Promise.resolve();
      },
    },
    gitlabs: { at: () => faulty(client, () => vault.fault) },
    loadRunner: async (name) => {
      looks.push(name);
      return await Promise.resolve(name === "team" ? runner : undefined);
    },
    logger: {
      info: (message, fields) => log.push({ message, fields }),
      warn: (message, fields) => log.push({ message, fields }),
      error: (message, fields, cause) => log.push({ message, fields, cause }),
    },
    metrics: {
      add: (name, value) => (metrics[name] = (metrics[name] ?? 0) + value),
      publish: () => undefined,
    },
    now,
    sleep: async (milliseconds) => {
      slept.push(milliseconds);
      time += milliseconds;
      await Promise.resolve();
    },
    random: () => 0.5,
    sha256Hex,
  };

  const { id: jobId } = await gitlab.enqueue(job);
  const reply = await client.requestJob();
  if (reply.kind !== "job") throw new Error(`no job, but ${reply.kind}`);
  const jobKey = sha256Hex(jobKeyText(gitlab.url, jobId)).slice(0, 32);
  const id: ClaimId = { runner: "team", cpuUnits: 1024, jobKey };
  const record: ClaimRecord = {
    version: 1,
    id: formatClaimId(id),
    url: gitlab.url,
    systemId: runner.systemId,
    jobId,
    token: reply.token.reveal(),
    claimedAt: time,
    body: reply.raw,
    trace: "",
    phase: { kind: "claimed" },
    owned: [],
  };
  await objects.create(stateKeys.claim(id), JSON.stringify(record));
  objects.fault = undefined;
  const visit = (task?: TaskState) => advanceClaim(deps, formatClaimId(id), task);
  const last = () => {
    const found = [...tasks.tasks.values()].at(-1);
    if (found === undefined) throw new Error("no task was started");
    return found;
  };

  /** The agent of the last task, up to its fence: the attempt that it stands for, or undefined where it lost. */
  const agent = () => {
    const handOff = handOffOf(last().request.overrides.containerOverrides);
    const { jobKey: key, attempt, grants } = handOff.task!;
    const started = keyOf(grants.started.url);
    return {
      handOff,
      up: () =>
        tasks.change(last().state.taskArn, {
          lastStatus: "RUNNING",
          startedAt: time,
          containers: last().state.containers.map((one) => ({ ...one, lastStatus: "RUNNING" })),
        }),
      fence: async () =>
        (await objects.create(started, JSON.stringify({ attempt, nonce: String(attempt) })))
          .kind === "written",
      result: async (report: Omit<Extract<AgentReport, { kind: "result" }>, "kind">) =>
        await objects.write(
          stateKeys.result(key),
          JSON.stringify({ attempt, kind: "result", ...report }),
        ),
      tell: async (state: "success" | "failed") =>
        await client.updateJob({ jobId, token: new Secret(record.token), state }),
      say: async (text: string) => {
        const before = Buffer.byteLength(handOff.task!.trace);
        const bytes = new TextEncoder().encode(text);
        return await client.patchTrace({
          jobId,
          token: new Secret(record.token),
          bytes,
          offset: before,
        });
      },
    };
  };
  const handOffOf = (
    overrides: readonly {
      readonly name: string;
      readonly environmentFiles?: readonly { readonly value: string }[];
    }[],
  ): HandOff => {
    const file = overrides.find(({ name }) => name === "agent")?.environmentFiles?.[0]?.value ?? "";
    const text = objects.contents.get(file.replace("arn:aws:s3:::state/", "")) ?? "";
    const key = keyOf(text.replace("BURST_HAND_OFF_URL=", "").trim());
    return handOffSchema.parse(JSON.parse(objects.contents.get(key) ?? "null"));
  };
  /** The last task stops, as ECS tells it. */
  const stop = (stopped: Partial<TaskState> = {}, exits: Readonly<Record<string, number>> = {}) =>
    tasks.change(last().state.taskArn, {
      lastStatus: "STOPPED",
      desiredStatus: "STOPPED",
      stopCode: "EssentialContainerExited",
      stoppedReason: "Essential container in task exited",
      stoppedAt: time,
      containers: last().state.containers.map(({ name }) =>
        container(name, { lastStatus: "STOPPED", exitCode: exits[name] }),
      ),
      ...stopped,
    });

  return {
    gitlab,
    client,
    deps,
    objects,
    tasks,
    secrets,
    setFault: (fault: Fault | undefined) => {
      vault.fault = fault;
      tasks.fault = fault;
      objects.fault =
        fault === undefined
          ? undefined
          : (operation, key, moment) => {
              if (!["read", "list", "exists"].includes(operation))
                fault(`${operation} ${key}`, moment);
            };
    },
    invoked,
    slept,
    looks,
    metrics,
    log,
    id,
    jobId,
    record,
    visit,
    sweep: () => sweep(deps, time + 60_000),
    pass: (milliseconds: number) => (time += milliseconds),
    now,
    agent,
    stop,
    last,
    claim: () => {
      const text = objects.contents.get(stateKeys.claim(id));
      return text === undefined ? undefined : claimSchema.parse(JSON.parse(text));
    },
    phase: () => {
      const text = objects.contents.get(stateKeys.claim(id));
      return text === undefined ? "gone" : claimSchema.parse(JSON.parse(text)).phase.kind;
    },
    job: () => gitlab.job(jobId),
    trace: () => gitlab.job(jobId).trace().toString(),
  };
}

export type Advancing = Awaited<ReturnType<typeof advancing>>;

function keyOf(url: string): string {
  return new URL(url).pathname.slice(1);
}

/** A client whose user is killed before a request leaves, or before its answer is read. */
function faulty(client: GitLabClient, fault: () => Fault | undefined): GitLabClient {
  return {
    ...client,
    updateJob: async (update) => {
      fault()?.(`PUT ${update.state}`, "before");
      const reply = await client.updateJob(update);
      fault()?.(`PUT ${update.state}`, "after");
      return reply;
    },
    patchTrace: async (patch) => {
      fault()?.("PATCH", "before");
      const reply = await client.patchTrace(patch);
      fault()?.("PATCH", "after");
      return reply;
    },
  };
}
