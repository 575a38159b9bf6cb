// All of it in one place: a GitLab, AWS (moto and the fakes behind one address), the four functions as built, and
// tasks that run. A story reads: enqueue a job, tick, await its end.

import { DescribeLogStreamsCommand, GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { ListSecretsCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { functionNames } from "../../infra/bundles.ts";
import type { FunctionName } from "../../infra/bundles.ts";
import { packageVersion } from "../../src/cli/package-version.ts";
import { agentImageName } from "../../src/local/agent-image/ensure-agent-image.ts";
import { connectEngine } from "../../src/local/docker/engine.ts";
import type { Engine } from "../../src/local/docker/engine.ts";
import { bridgeAddress } from "../../src/local/docker/gitlab-route.ts";
import type { StandInOptions } from "../../src/stand-in/options.ts";
import type { RawJob } from "../../src/stand-in/raw-job.ts";
import type { StandIn } from "../../src/stand-in/stand-in.ts";
import { startStandIn } from "../../src/stand-in/start.ts";
import type { JobView } from "../../src/stand-in/views.ts";
import { setup, teardown } from "../containers/setup.ts";
import { createClock } from "../fakes/clock.ts";
import type { Clock } from "../fakes/clock.ts";
import type { BackEnd } from "../fakes/ecs/back-end.ts";
import { createEcs } from "../fakes/ecs/ecs.ts";
import type { Ecs, EcsOptions } from "../fakes/ecs/ecs.ts";
import { createEngineBackEnd } from "../fakes/ecs/engine/back-end.ts";
import type { EngineBackEnd, EngineOptions } from "../fakes/ecs/engine/back-end.ts";
import { createSimulated } from "../fakes/ecs/simulated.ts";
import type { Simulated, SimulatedTask } from "../fakes/ecs/simulated.ts";
import type { FakeTask } from "../fakes/ecs/task.ts";
import { startFront } from "../fakes/front.ts";
import type { Front } from "../fakes/front.ts";
import { createLambda } from "../fakes/lambda/lambda.ts";
import type { Lambda, LambdaOptions } from "../fakes/lambda/lambda.ts";
import { createEventBus, createSchedules } from "../fakes/schedule.ts";
import type { EventBus, Schedules } from "../fakes/schedule.ts";
import { functionFile } from "../harness/functions.ts";
import { startMoto } from "../harness/moto.ts";
import type { Moto } from "../harness/moto.ts";
import { plainText } from "../harness/project.ts";
import { makeByHand } from "./deployment.ts";
import type { Deployment } from "./deployment.ts";
import { openQueue } from "./queue.ts";
import type { Queue } from "./queue.ts";

export interface WorldOptions {
  /** Real containers, or what the play says. @default "engine" */
  readonly tasks?: "engine" | ((task: SimulatedTask) => void);
  /** Settings by the runner's name; each gets the stand-in's token. @default one, "team" */
  readonly runners?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** The parameter `settings`. @default none */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly standIn?: StandInOptions;
  /** @default real time, that can be moved */
  readonly clock?: Clock;
  readonly ecs?: Partial<Pick<EcsOptions, "vcpuQuota" | "buckets" | "missingMs">>;
  readonly engine?: Partial<Pick<EngineOptions, "pullFailure" | "aliases">>;
  readonly lambda?: Partial<
    Pick<LambdaOptions, "seed" | "duplicates" | "retrySeconds" | "concurrency">
  >;
  /** An AWS that is there already, with the stack in it. @default a moto of its own, made by hand */
  readonly deployed?: { readonly moto: Moto; readonly deployment: Deployment };
}

export interface World {
  readonly gitlab: StandIn;
  readonly front: Front;
  readonly ecs: Ecs;
  readonly lambda: Lambda;
  readonly bus: EventBus;
  readonly schedules: Schedules;
  readonly clock: Clock;
  readonly deployment: Deployment;
  /** Of invocations that were given up. */
  readonly failures: Queue;
  /** Throws where the tasks are simulated. */
  readonly engine: { readonly backEnd: EngineBackEnd; readonly client: Engine };
  /** Throws where they are not. */
  readonly simulated: Simulated;
  putParameter(name: string, value: string | Readonly<Record<string, unknown>>): Promise<void>;
  /** One job of its own. It needs no sources unless it says so. */
  enqueue(job?: RawJob): Promise<JobView>;
  /** One event of the function's schedule, now. */
  tick(name: "poller" | "sweeper"): void;
  finished(jobId: number, timeoutMs?: number): Promise<JobView>;
  /** As a reader of the job page sees it. */
  trace(jobId: number): string;
  /** The tasks of ECS, oldest first. */
  tasks(): readonly FakeTask[];
  /** Lines of a task's container in CloudWatch Logs. */
  logLines(task: FakeTask, container: string): Promise<readonly string[]>;
  /** What is left of jobs: in the state bucket, in Secrets Manager, in ECS. */
  leftovers(): Promise<Leftovers>;
  close(): Promise<void>;
}

export interface Leftovers {
  readonly objects: readonly string[];
  readonly secrets: readonly string[];
  readonly tasks: readonly string[];
}

const tester = { accessKeyId: "TESTER", secretAccessKey: "nothing" };
/** For a second world in one moto. */
let worlds = 0;

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const closers: (() => Promise<unknown> | void)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).toReversed()) await closer();
  };
  try {
    return await open(options, closers, close);
  } catch (cause) {
    await close();
    throw cause;
  }
}

async function open(
  options: WorldOptions,
  closers: (() => Promise<unknown> | void)[],
  close: () => Promise<void>,
): Promise<World> {
  const { tasks = "engine" } = options;
  const clock = options.clock ?? createClock();
  closers.push(() => clock.close());
  const client = tasks === "engine" ? await openEngine(closers) : undefined;
  const address = (client === undefined ? undefined : await bridgeAddress(client)) ?? "127.0.0.1";
  const moto = options.deployed?.moto ?? (await startMoto());
  if (options.deployed === undefined) closers.push(() => moto.close());
  const account = { endpoint: moto.url, region: moto.environment["AWS_REGION"] ?? "us-east-1" };
  const deployment =
    options.deployed?.deployment ??
    (await makeByHand(account, agentImageName(packageVersion()), `burst-${++worlds}`));
  const failures = await openQueue(account, `burst-failures-${++worlds}`);

  let endpoint = "";
  const url = () => endpoint;
  const { region, functions, variables } = deployment;
  const backEnd: BackEnd =
    client === undefined
      ? createSimulated(tasks === "engine" ? undefined : tasks)
      : await createEngineBackEnd({
          engine: client,
          address,
          endpoint: url,
          region,
          ...options.engine,
        });
  const bus = createEventBus(
    () => ecs.clusterArn,
    (event) => lambda.invokeLater(functions.reaper.name, event),
  );
  const ecs = createEcs({
    clock,
    backEnd,
    region,
    cluster: variables.BURST_CLUSTER.replace(/^.*\//, ""),
    vcpuQuota: { FARGATE: 64, FARGATE_SPOT: 64 },
    onEvent: bus.deliver,
    ...options.ecs,
  });
  const lambda = createLambda({
    clock,
    region,
    endpoint: url,
    functions: await lambdaFunctions(deployment, failures.url),
    onFailure: (_queue, record) => failures.send(record),
    ...options.lambda,
  });
  closers.push(() => ecs.close());
  closers.push(() => lambda.close());
  const front = await startFront({
    moto: moto.url,
    ecs,
    lambda: lambda.answer,
    kill: lambda.kill,
    listen: address,
  });
  endpoint = front.url;
  // The last to go: whoever ends may still have something to say.
  closers.splice(0, 0, () => front.close());
  const schedules = createSchedules(clock, lambda);
  closers.push(() => schedules.stop());
  const gitlab = await startStandIn({
    listen: address,
    longPollSeconds: 2,
    watched: true,
    ...options.standIn,
  });
  closers.splice(1, 0, () => gitlab.close());

  const clients = clientsOf({ endpoint, region, credentials: tester });
  const putParameter = putterOf(clients.ssm, variables.BURST_PARAMETERS);
  if (options.settings !== undefined) await putParameter("settings", options.settings);
  for (const [name, settings] of Object.entries(options.runners ?? { team: {} })) {
    await putParameter(`runners/${name}/settings`, { url: gitlab.url, ...settings });
    await putParameter(`runners/${name}/token`, gitlab.runnerToken);
  }
  return {
    gitlab,
    front,
    ecs,
    lambda,
    bus,
    schedules,
    clock,
    deployment,
    failures,
    get engine() {
      if (client === undefined) throw new Error("this world's tasks are simulated");
      return { backEnd: backEnd as EngineBackEnd, client };
    },
    get simulated() {
      if (client !== undefined) throw new Error("this world's tasks are containers");
      return backEnd as Simulated;
    },
    putParameter,
    async enqueue(job = {}) {
      if (gitlab.projects().length === 0) await gitlab.addFiles("raw", { "a.txt": "a\n" });
      return await gitlab.enqueue({
        image: jobImage("busybox:latest"),
        ...job,
        variables: Array.isArray(job.variables)
          ? job.variables
          : { GIT_STRATEGY: "none", ...job.variables },
      });
    },
    tick: (name) => schedules.tick(functions[name].name),
    finished: (jobId, timeoutMs = 60_000) => gitlab.waitForJob(jobId, undefined, timeoutMs),
    trace: (jobId) => plainText(gitlab.job(jobId).trace()),
    tasks: () => [...ecs.tasks.values()],
    logLines: (task, container) =>
      logLines(clients.logs, variables.BURST_LOG_GROUP, task, container),
    async leftovers() {
      const { Contents = [] } = await clients.s3.send(
        new ListObjectsV2Command({ Bucket: variables.BURST_STATE_BUCKET }),
      );
      const { SecretList = [] } = await clients.secrets.send(new ListSecretsCommand({}));
      return {
        objects: Contents.map(({ Key = "" }) => Key),
        secrets: SecretList.map(({ Name = "" }) => Name),
        tasks: [...ecs.tasks.values()]
          .filter(({ lastStatus }) => lastStatus !== "STOPPED")
          .map(({ arn }) => arn),
      };
    },
    close,
  };
}

/** As GitLab hands it out, for a job that is enqueued. */
export function jobImage(name: string): NonNullable<RawJob["image"]> {
  return { name, entrypoint: null, ports: [], executor_opts: {}, pull_policy: [] };
}

/** The engine that DOCKER_HOST names, else one of our own, with the images. */
async function openEngine(closers: (() => Promise<unknown> | void)[]): Promise<Engine> {
  const given = process.env["DOCKER_HOST"];
  await setup();
  closers.push(async () => {
    await teardown();
    if (given === undefined) delete process.env["DOCKER_HOST"];
  });
  return await connectEngine(process.env);
}

async function lambdaFunctions({ functions }: Deployment, destination: string) {
  const tried: Readonly<Record<FunctionName, number>> = {
    poller: 0,
    launcher: 2,
    reaper: 2,
    sweeper: 0,
  };
  return await Promise.all(
    functionNames.map(async (name) => ({
      ...functions[name],
      file: await functionFile(name),
      retries: tried[name],
      destination,
    })),
  );
}

interface ClientSettings {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: typeof tester;
}

function clientsOf(settings: ClientSettings) {
  return {
    s3: new S3Client({ ...settings, forcePathStyle: true }),
    ssm: new SSMClient(settings),
    secrets: new SecretsManagerClient(settings),
    logs: new CloudWatchLogsClient(settings),
  };
}

/** As the deploy guide has it: what ends in `token` or `registry-auth` is a SecureString. */
function putterOf(ssm: SSMClient, path: string): World["putParameter"] {
  return async (name, value) => {
    const secure = /\/(token|registry-auth)$/.test(name);
    await ssm.send(
      new PutParameterCommand({
        Name: `${path}/${name}`,
        Value: typeof value === "string" ? value : JSON.stringify(value),
        Type: secure ? "SecureString" : "String",
        Overwrite: true,
      }),
    );
  };
}

async function logLines(
  logs: CloudWatchLogsClient,
  logGroupName: string,
  task: FakeTask,
  container: string,
): Promise<readonly string[]> {
  const { logStreams = [] } = await logs.send(new DescribeLogStreamsCommand({ logGroupName }));
  const stream = logStreams.find(({ logStreamName }) =>
    logStreamName?.endsWith(`/${container}/${task.id}`),
  );
  if (stream === undefined) return [];
  const { logStreamName } = stream;
  const { events = [] } = await logs.send(
    new GetLogEventsCommand({ logGroupName, logStreamName, startFromHead: true }),
  );
  return events.map(({ message = "" }) => message);
}
