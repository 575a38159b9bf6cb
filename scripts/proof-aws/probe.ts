// One task of the proof: started by the product's own functions, looked at until it has stopped.

import { createHash, randomUUID } from "node:crypto";
import { RegisterTaskDefinitionCommand } from "@aws-sdk/client-ecs";
import type { RegisterTaskDefinitionCommandInput, Task } from "@aws-sdk/client-ecs";
import { definitionRemover, taskDefinitions } from "../../src/aws/left-definitions.ts";
import { environmentFile } from "../../src/core/env-file.ts";
import { fargateDefinition } from "../../src/core/fargate-definition.ts";
import type { FargatePlace } from "../../src/core/fargate-place.ts";
import { runTaskRequest } from "../../src/core/fargate-run.ts";
import type { RunTaskRequest, TaskDefinition } from "../../src/core/fargate-task.ts";
import { handOffUrlVariable } from "../../src/core/hand-off.ts";
import { Secret } from "../../src/core/secret.ts";
import type { Architecture } from "../../src/core/settings-task.ts";
import type { RunReply, TaskState } from "../../src/core/task-state.ts";
import { probePlan } from "./probe-plan.ts";
import { probeImages } from "./probe-spec.ts";
import type { ProbeName, ProbeSpec } from "./probe-spec.ts";
import { describe, readLines, stopWhenUp, until, waitForEnd } from "./probe-watch.ts";
import type { ProbeWorld } from "./world.ts";

export interface Probe {
  readonly request: RunTaskRequest;
  readonly startedBy: string;
  /** undefined: it was not started, `refusal` says why. */
  readonly taskArn: string | undefined;
  readonly refusal: string;
  /** From RunTask's answer until DescribeTasks knew it. */
  readonly seenAfterMilliseconds: number;
  /** When it has stopped. */
  readonly end: () => Promise<{ readonly task: TaskState; readonly raw: Task }>;
  /** `key=value` lines of a container, when the task has stopped. */
  readonly said: (container?: string) => Promise<ReadonlyMap<string, string>>;
  readonly lines: (container?: string) => Promise<readonly string[]>;
}

const sha256Hex = (text: string) => createHash("sha256").update(text).digest("hex");

export async function startProbe(
  world: ProbeWorld,
  name: ProbeName,
  spec: ProbeSpec,
): Promise<Probe> {
  const { tasks, now } = world;
  const { request } = await prepare(world, name, spec);
  let reply = await tasks.run(request);
  const patienceEnds = now() + 10 * 60_000;
  // Probes and the environment's own jobs may be more than a small account may run at once.
  while (isFull(reply) && spec.capacity !== "spot" && now() < patienceEnds) {
    await world.sleep(15_000);
    reply = await tasks.run(request);
  }
  const startedBy = request.startedBy;
  if (reply.kind !== "launched") {
    const refusal = "message" in reply ? `${reply.kind}: ${reply.message}` : reply.kind;
    return { ...notStarted(refusal), request, startedBy };
  }
  const { taskArn } = reply;
  world.undo.add(`task ${taskArn}`, () => tasks.stop(taskArn, "The proof is over"));
  const launchedAt = now();
  await until(world, async () => (await describe(world, taskArn)) !== undefined, 5 * 60_000);
  const seenAfterMilliseconds = now() - launchedAt;
  if (spec.stopped === true) void stopWhenUp(world, taskArn);
  let ended: Promise<{ readonly task: TaskState; readonly raw: Task }> | undefined;
  const end = () => (ended ??= waitForEnd(world, taskArn));
  const read = new Map<string, Promise<readonly string[]>>();
  const lines = async (container = "agent") => {
    await end();
    const stream = `${streamPrefix}/${container}/${taskArn.split("/").at(-1)}`;
    const reading = read.get(stream) ?? readLines(world, stream);
    read.set(stream, reading);
    return await reading;
  };
  return {
    request,
    startedBy,
    taskArn,
    refusal: "",
    seenAfterMilliseconds,
    end,
    lines,
    said: async (container) =>
      new Map(
        (await lines(container)).map((line) => {
          const at = line.indexOf("=");
          return [line.slice(0, at), line.slice(at + 1)] as const;
        }),
      ),
  };
}

const isFull = ({ kind }: RunReply) =>
  kind === "quota" || kind === "no-capacity" || kind === "throttled";

const streamPrefix = "proof";

function notStarted(refusal: string) {
  const fail = () => Promise.reject(new Error(`the task was not started: ${refusal}`));
  return {
    taskArn: undefined,
    refusal,
    seenAfterMilliseconds: 0,
    end: fail,
    said: fail,
    lines: fail,
  } as const;
}

async function prepare(world: ProbeWorld, name: ProbeName, spec: ProbeSpec) {
  const { environment, runName } = world;
  const architecture: Architecture =
    environment.BURST_AGENT_IMAGES.x86_64 === undefined ? "arm64" : "x86_64";
  const plan = probePlan(spec, architecture);
  const place = placeOf(world);
  const loginSecrets = spec.wrongLogin === true ? { job: await wrongLogin(world) } : {};
  const made = fargateDefinition(plan, place, {
    bootScript: spec.job.script,
    loginSecrets,
    sha256Hex,
  });
  if (made.kind === "refusal") throw new Error(made.message);
  const family = `${place.namePrefix}-${sha256Hex(`${runName} ${name}`).slice(0, 32)}`;
  await register(world, withAgent({ ...made.definition, family }, spec, world, architecture));
  const run = runTaskRequest(plan, family, place, {
    clientToken: sha256Hex(`${runName} ${name}`),
    startedBy: `${runName}/${name}`,
    capacityProvider: spec.capacity === "spot" ? "FARGATE_SPOT" : "FARGATE",
    subnets: environment.BURST_SUBNETS,
    environmentFiles: { agent: await agentFile(world, name) },
    labels: plan.labels,
  });
  if (run.kind === "refusal") throw new Error(run.message);
  return { request: run.request };
}

function placeOf({ environment, region }: ProbeWorld): FargatePlace {
  return {
    cluster: environment.BURST_CLUSTER,
    region,
    securityGroups: environment.BURST_SECURITY_GROUPS,
    assignPublicIp: environment.BURST_ASSIGN_PUBLIC_IP,
    executionRole: environment.BURST_EXECUTION_ROLE,
    logGroup: environment.BURST_LOG_GROUP,
    namePrefix: environment.BURST_NAME_PREFIX,
    agentImages: { x86_64: probeImages.agent, arm64: probeImages.agent },
    stateBucket: environment.BURST_STATE_BUCKET,
    runner: streamPrefix,
  };
}

/** The probe's program in the agent's place, or the product's agent after a look at what its image has. */
function withAgent(
  definition: TaskDefinition,
  { agent }: ProbeSpec,
  { environment }: ProbeWorld,
  architecture: Architecture,
): TaskDefinition {
  const own =
    agent === undefined
      ? {
          image: environment.BURST_AGENT_IMAGES[architecture] ?? "",
          entryPoint: ["sh", "-c"],
          command: [
            "echo node=$(node --version); echo git=$(git --version); echo lfs=$(git-lfs version); " +
              "exec node /usr/local/lib/gitlab-burst/agent.mjs",
          ],
        }
      : { command: ["node", "-e", agent] };
  return {
    ...definition,
    containerDefinitions: definition.containerDefinitions.map((container) =>
      container.name === "agent" ? { ...container, ...own } : container,
    ),
  };
}

async function register(
  { ecs, environment, undo, now, sleep }: ProbeWorld,
  definition: TaskDefinition,
) {
  const { family } = definition;
  undo.add(`task definition ${family}`, async () => {
    const all = await taskDefinitions(ecs, environment.BURST_NAME_PREFIX);
    const remove = definitionRemover(ecs, { now, sleep });
    for (const left of all.filter(({ arn }) => arn.includes(`/${family}:`))) {
      await remove(left);
      // ECS takes one a second.
      await sleep(2000);
    }
  });
  // The client does not change it.
  await ecs.send(
    new RegisterTaskDefinitionCommand(definition as unknown as RegisterTaskDefinitionCommandInput),
  );
}

/** The agent's environment file: for the product's agent the address of a hand-off that is none. */
async function agentFile({ objects, runName, undo }: ProbeWorld, name: string): Promise<string> {
  const folder = `jobs/${runName}/${name}`;
  undo.add(`objects below ${folder}`, () =>
    objects.remove([`${folder}/agent.env`, `${folder}/hand-off.json`]),
  );
  await objects.write(`${folder}/hand-off.json`, "{}");
  const { url } = await objects.presign({
    method: "GET",
    key: `${folder}/hand-off.json`,
    expiresSeconds: 3600,
  });
  const { text } = environmentFile([
    { name: "PROOF_VALUE", value: new Secret("from a file") },
    { name: handOffUrlVariable, value: new Secret(url) },
  ]);
  await objects.write(`${folder}/agent.env`, text);
  return `${folder}/agent.env`;
}

async function wrongLogin({ secrets, environment, runName, undo }: ProbeWorld): Promise<string> {
  const name = `${environment.BURST_NAME_PREFIX}/registry/${runName}`;
  undo.add(`secret ${name}`, () => secrets.remove(name));
  return await secrets.ensure(name, {
    username: "gitlab-burst-proof",
    password: new Secret(randomUUID()),
  });
}
