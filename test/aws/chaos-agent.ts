// Agents without containers that go the real one's way (hand-off, fence, result, last word to GitLab) and end at any
// point of it: killed, taken with their Spot, hanging, or as they should.

import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import * as z from "zod";
import { passFence } from "../../src/agent/task/fence.ts";
import type { Storage } from "../../src/agent/task/storage.ts";
import { agentExit, handOffSchema, handOffUrlVariable } from "../../src/core/hand-off.ts";
import type { HandOff } from "../../src/core/hand-off.ts";
import { Secret } from "../../src/core/secret.ts";
import { createGitLabs } from "../../src/flow/gitlabs.ts";
import type { Ecs } from "../fakes/ecs/ecs.ts";
import { overrideOf } from "../fakes/ecs/task.ts";
import type { SimulatedTask } from "../fakes/ecs/simulated.ts";

export interface ChaosAgentOptions {
  readonly chance: () => number;
  /** At each step of a task. */
  readonly risks: { kill: number; spot: number; hang: number; pull: number };
  readonly ecs: () => Ecs;
  readonly endpoint: () => string;
  readonly now: () => number;
}

/** What a job's agents have done. */
export interface Done {
  /** The tasks in which its script began. */
  readonly begun: string[];
  /** Results that lie in the bucket. */
  readonly results: ("success" | "failed" | "canceled")[];
}

const payloadSchema = z.object({ id: z.number(), token: z.string() });

class Ended extends Error {}

export function createChaosAgents(options: ChaosAgentOptions) {
  const { chance, risks, now } = options;
  const done = new Map<number, Done>();
  const troubles: string[] = [];
  const gitlabs = createGitLabs({
    version: "1.0.0",
    timeouts: { totalSeconds: 10, responseHeaderSeconds: 8 },
  });
  const doneOf = (jobId: number): Done => {
    const known = done.get(jobId) ?? { begun: [], results: [] };
    done.set(jobId, known);
    return known;
  };

  async function run(simulated: SimulatedTask): Promise<void> {
    const { task } = simulated;
    const exitAll = (code: number) => {
      for (const { name, lastStatus } of task.containers) {
        if (name !== "agent" && lastStatus === "RUNNING") simulated.exit(name, 143);
      }
      simulated.exit("agent", code);
    };
    let state: "alive" | "told-to-stop" | "hanging" = "alive";
    let isSafe = false;
    simulated.onStop(() => {
      if (
        state === "hanging" ||
        task.containers.every(({ lastStatus }) => lastStatus !== "RUNNING")
      )
        exitAll(137);
      else state = "told-to-stop";
    });
    /** Anything may happen here. */
    const step = async () => {
      await pause(1 + chance() * 15);
      if (task.lastStatus === "STOPPED") throw new Ended();
      if (chance() < risks.kill) {
        exitAll(137);
        throw new Ended();
      }
      if (task.capacityProvider === "FARGATE_SPOT" && chance() < risks.spot) {
        options.ecs().interrupt(task.arn);
      }
      if (chance() < risks.hang) {
        state = "hanging";
        if (task.desiredStatus === "STOPPED") exitAll(137);
        throw new Ended();
      }
      if (state === "told-to-stop" && !isSafe) {
        exitAll(agentExit.interrupted);
        throw new Ended();
      }
    };
    await pause(1 + chance() * 20);
    if (chance() < risks.pull) {
      simulated.failToStart(
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): not found",
        "job",
      );
      return;
    }
    if (task.lastStatus === "STOPPED" || task.desiredStatus === "STOPPED") return;
    simulated.start();
    await step();
    const handOff = await retried(() => fetchHandOff(options.endpoint(), simulated));
    if (handOff?.task === undefined) return exitAll(agentExit.undelivered);
    await step();
    const { grants, attempt } = handOff.task;
    const tools = {
      storage,
      grants: () => Promise.resolve(grants),
      now,
      sleep: () => pause(5),
      diagnostic: () => undefined,
    };
    const mayRun = await passFence(tools, { attempt, nonce: task.id });
    if (!mayRun) return exitAll(agentExit.fenceLost);
    await step();
    const { id: jobId } = payloadSchema.parse(JSON.parse(handOff.job));
    doneOf(jobId).begun.push(`attempt ${attempt} in ${task.id.slice(0, 8)} at ${now()}`);
    await step();
    const result = (await isCanceling(handOff))
      ? ("canceled" as const)
      : chance() < 0.8
        ? ("success" as const)
        : ("failed" as const);
    await step();
    const exit = result === "failed" ? { failureReason: "script_failure", exitCode: 1 } : {};
    const body = JSON.stringify({ attempt, kind: "result", result, ...exit });
    // It lies there as soon as it is sent: a broken connection says nothing about that.
    doneOf(jobId).results.push(result);
    await retried(async () => {
      if ((await storage.write(grants.result, body)).kind !== "done") throw new Error("no result");
    });
    isSafe = true;
    await step();
    exitAll((await tell(handOff, result)) ? agentExit.confirmed : agentExit.undelivered);
  }

  function clientOf({ gitlab, job }: HandOff) {
    const { id: jobId, token } = payloadSchema.parse(JSON.parse(job));
    const client = gitlabs.at({ url: gitlab.url, systemId: gitlab.systemId });
    return { client, jobId, token: new Secret(token) };
  }
  async function isCanceling(handOff: HandOff): Promise<boolean> {
    const { client, jobId, token } = clientOf(handOff);
    const reply = await client.updateJob({ jobId, token, state: "running" });
    return reply.kind === "refused" || reply.jobStatus === "canceling";
  }
  async function tell(handOff: HandOff, result: "success" | "failed" | "canceled") {
    const { client, jobId, token } = clientOf(handOff);
    const failureReason =
      result === "canceled" ? ("job_canceled" as const) : ("script_failure" as const);
    for (let tried = 0; tried < 5; tried++) {
      const reply = await client.updateJob({
        jobId,
        token,
        ...(result === "success" ? { state: "success" } : { state: "failed", failureReason }),
      });
      if (reply.kind !== "unavailable" && reply.kind !== "conflict") return true;
      await pause(20);
    }
    return false;
  }

  return {
    done: done as ReadonlyMap<number, Done>,
    troubles,
    close: () => gitlabs.close(),
    play(simulated: SimulatedTask): void {
      run(simulated).catch((cause: unknown) => {
        if (!(cause instanceof Ended)) troubles.push(String(cause));
      });
    },
  };
}

const storage: Storage = {
  async read({ url }) {
    const answer = await ask(url, {});
    if (answer === undefined) return { kind: "failed", message: "no answer", status: undefined };
    const { status } = answer;
    if (status === 404) return { kind: "missing" };
    if (!answer.ok) return { kind: "failed", message: `HTTP ${status}`, status };
    return { kind: "text", text: await answer.text() };
  },
  async write({ url, headers = {} }, body) {
    const answer = await ask(url, { method: "PUT", headers, body });
    if (answer === undefined) return { kind: "failed", message: "no answer", status: undefined };
    const { status } = answer;
    if (answer.ok) return { kind: "done", header: () => undefined };
    return { kind: "failed", message: `HTTP ${status}`, status };
  },
};

async function ask(url: string, init: RequestInit): Promise<Response | undefined> {
  return await fetch(url, init).catch(() => undefined);
}

async function fetchHandOff(endpoint: string, { task }: SimulatedTask): Promise<HandOff> {
  const file = overrideOf(task, "agent").environmentFiles?.[0]?.value ?? "";
  const [, Bucket = "", Key = ""] = /^arn:aws:s3:::([^/]+)\/(.+)$/.exec(file) ?? [];
  const credentials = { accessKeyId: "TASK", secretAccessKey: "nothing" };
  const s3 = new S3Client({ endpoint, region: "us-east-1", credentials, forcePathStyle: true });
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  const text = (await Body?.transformToString()) ?? "";
  s3.destroy();
  const url = text.split("\n").find((line) => line.startsWith(`${handOffUrlVariable}=`));
  const answer = await fetch(url?.slice(handOffUrlVariable.length + 1) ?? "");
  if (!answer.ok) throw new Error(`the bucket answers ${answer.status}`);
  return handOffSchema.parse(await answer.json());
}

async function retried<Value>(work: () => Promise<Value>): Promise<Value | undefined> {
  for (let tried = 0; tried < 6; tried++) {
    try {
      return await work();
    } catch {
      await pause(10);
    }
  }
  return undefined;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
