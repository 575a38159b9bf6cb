// A poller in a test: the stand-in over HTTP, a bucket in memory, parameters as a map, a launcher that only counts.

import { createHash } from "node:crypto";
import { onTestFinished } from "vitest";
import { parse } from "yaml";
import type { ListedParameter } from "../../src/aws/parameters.ts";
import { claimSchema } from "../../src/core/claim.ts";
import type { ClaimRecord } from "../../src/core/claim.ts";
import { Secret } from "../../src/core/secret.ts";
import type { TaskState } from "../../src/core/task-state.ts";
import type { EventFields } from "../../src/flow/event-log.ts";
import { createGitLabs } from "../../src/flow/gitlabs.ts";
import { poll } from "../../src/flow/poll.ts";
import type { PollDeps } from "../../src/flow/poll.ts";
import { createRunnerLoader } from "../../src/flow/runners.ts";
import { sleepFor } from "../../src/gitlab/sleep.ts";
import { startStandIn } from "../../src/stand-in/start.ts";
import type { StandInOptions } from "../../src/stand-in/start.ts";
import { memoryObjects } from "./memory-objects.ts";

export const path = "/gitlab-burst/test";

/** Parameter Store in memory: a Secret is a SecureString. */
export function memoryParameters(given: Readonly<Record<string, string | Secret>> = {}) {
  const entries = new Map<string, { version: number; value: string | Secret }>();
  const decrypted: string[] = [];
  const put = (name: string, value: string | Secret) => {
    const version = (entries.get(`${path}/${name}`)?.version ?? 0) + 1;
    entries.set(`${path}/${name}`, { version, value });
  };
  for (const [name, value] of Object.entries(given)) put(name, value);
  return {
    decrypted,
    put,
    remove: (name: string) => entries.delete(`${path}/${name}`),
    list: (): Promise<readonly ListedParameter[]> =>
      Promise.resolve(
        [...entries].map(([name, { version, value }]) => ({
          name,
          version,
          secure: value instanceof Secret,
          value: value instanceof Secret ? undefined : value,
        })),
      ),
    secrets: (names: readonly string[]): Promise<ReadonlyMap<string, Secret>> => {
      decrypted.push(...names);
      const found = new Map<string, Secret>();
      for (const name of names) {
        const value = entries.get(name)?.value;
        if (value instanceof Secret) found.set(name, value);
      }
      return Promise.resolve(found);
    },
  };
}

export interface Line {
  readonly message: string;
  readonly fields: EventFields;
  readonly level: "info" | "warn" | "error";
}

export async function polling(standIn: StandInOptions = {}) {
  const gitlab = await startStandIn(standIn);
  const gitlabs = createGitLabs({ version: "1.2.3", longestRetryWaitSeconds: 0, env: {} });
  onTestFinished(async () => {
    await gitlabs.close();
    await gitlab.close();
  });
  const clock = { ahead: 0 };
  const now = () => Date.now() + clock.ahead;
  const objects = memoryObjects(now);
  const parameters = memoryParameters({
    settings: "check_interval: 0\n",
    "runners/team/settings": `url: ${gitlab.url}\n`,
    "runners/team/token": new Secret(gitlab.runnerToken),
  });
  const lines: Line[] = [];
  const counted = new Map<string, number>();
  const invoked: string[] = [];
  const log =
    (level: Line["level"]) =>
    (message: string, fields: EventFields = {}, cause?: unknown) => {
      lines.push({
        message: cause instanceof Error ? `${message}: ${cause.message}` : message,
        fields,
        level,
      });
    };
  const launcher = { fail: false };
  /** By their ARNs. */
  const tasks = new Map<string, TaskState>();
  const newDeps = (): PollDeps => ({
    objects,
    tasks: {
      describe: (arns) =>
        Promise.resolve(arns.flatMap((arn) => (tasks.has(arn) ? [tasks.get(arn)!] : []))),
    },
    functions: {
      invoke: (name, event) => {
        if (launcher.fail) return Promise.reject(new Error("Lambda is away"));
        invoked.push(JSON.stringify([name, event]));
        return Promise.resolve();
      },
    },
    launcher: "the-launcher",
    gitlabs,
    loadRunners: createRunnerLoader({
      parameters,
      path,
      parseText: (text): unknown => parse(text),
      systemId: () => "s_0123456789ab",
    }).load,
    logger: { info: log("info"), warn: log("warn"), error: log("error") },
    metrics: {
      add: (name, value) => counted.set(name, (counted.get(name) ?? 0) + value),
      publish: () => undefined,
    },
    now,
    sleep: sleepFor,
    sha256Hex: (text) => createHash("sha256").update(text).digest("hex"),
  });
  return {
    gitlab,
    objects,
    tasks,
    parameters,
    lines,
    counted,
    invoked,
    launcher,
    clock,
    now,
    newDeps,
    /** Polls for so long, by the clock of the test. */
    poll: (seconds: number, holder = "poller-1", deps = newDeps()) =>
      poll(deps, { holder, killedAt: now() + 75_000 + seconds * 1000 }),
    claims: (): readonly ClaimRecord[] =>
      [...objects.contents]
        .filter(([key]) => key.startsWith("claims/"))
        .map(([, body]) => claimSchema.parse(JSON.parse(body))),
    requests: () => gitlab.requests().filter(({ path: asked }) => asked === "/api/v4/jobs/request"),
  };
}
