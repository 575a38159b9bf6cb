// Runs that make every kind of call there is, with the environment that the template gives: a job with logins and a
// cache, one on the runner's own registry login, a cancel, sweeps, and a secret that somebody had marked for deletion.

import { CloudWatchLogsClient, CreateLogGroupCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { functionNames } from "../../infra/bundles.ts";
import type { FunctionName } from "../../infra/bundles.ts";
import type { FunctionVariables } from "../../src/core/function-environment.ts";
import { grantsSchema } from "../../src/core/hand-off.ts";
import { accessKeyOf } from "../fakes/lambda/lambda.ts";
import type { AwsRequest } from "../fakes/request.ts";
import type { SimulatedTask } from "../fakes/ecs/simulated.ts";
import { until } from "../harness/containers.ts";
import { startMoto } from "../harness/moto.ts";
import type { Deployment } from "./deployment.ts";
import { createPaperAgent } from "./paper-agent.ts";
import { claimsGone, endOf, stateBucket, taskOf } from "./story-report.ts";
import { resolveStack } from "./template.ts";
import type { ResolvedStack } from "./template.ts";
import { jobImage, startWorld } from "./world.ts";
import type { World } from "./world.ts";

export interface Recorded {
  readonly stack: ResolvedStack;
  readonly region: string;
  /** Of the functions, of addresses that they have signed, and of ECS itself. */
  readonly requests: readonly AwsRequest[];
  readonly callers: ReadonlyMap<string, FunctionName | "execution">;
}

export async function recordCalls(): Promise<Recorded> {
  const moto = await startMoto();
  try {
    const region = moto.environment["AWS_REGION"] ?? "us-east-1";
    const stack = resolveStack(region);
    const deployment = await deploymentOf(stack, moto.url, region);
    const world = await startWorld({
      tasks: (task) => play(task),
      deployed: { moto, deployment },
      runners: { team: { capacity: "spot" } },
      lambda: { retrySeconds: [0.2, 0.4] },
    });
    const agent = createPaperAgent(() => ({ endpoint: world.front.url, region }));
    let mode: "run" | "wait" | "fail" = "run";
    const play = (task: SimulatedTask) => {
      if (mode === "run") agent.play(task).catch(() => task.kill());
      if (mode !== "fail") return;
      world.clock.after(500, () => task.failToStart("CannotPullContainerError: not found", "job"));
    };
    try {
      world.tick("poller");
      await withLogins(world);
      mode = "wait";
      await canceled(world);
      mode = "fail";
      await orphaned(world);
      await claimsGone(world);
      return {
        stack,
        region,
        requests: [...world.front.requests],
        callers: new Map<string, FunctionName | "execution">([
          ...functionNames.map((name): [string, FunctionName] => [
            accessKeyOf(deployment.functions[name].name),
            name,
          ]),
          ["TASK", "execution"],
        ]),
      };
    } finally {
      await world.close();
    }
  } finally {
    await moto.close();
  }
}

async function deploymentOf(
  { environments }: ResolvedStack,
  endpoint: string,
  region: string,
): Promise<Deployment> {
  const variables = environments.launcher as FunctionVariables;
  const settings = {
    endpoint,
    region,
    credentials: { accessKeyId: "STACK", secretAccessKey: "nothing" },
  };
  const s3 = new S3Client({ ...settings, forcePathStyle: true });
  for (const Bucket of [variables.BURST_STATE_BUCKET, variables.BURST_CACHE_BUCKET]) {
    const LocationConstraint = region as "eu-central-1";
    await s3.send(
      new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint } }),
    );
  }
  const logs = new CloudWatchLogsClient(settings);
  await logs.send(new CreateLogGroupCommand({ logGroupName: variables.BURST_LOG_GROUP }));
  const functions = Object.fromEntries(
    functionNames.map((name) => [
      name,
      {
        name: `gitlab-burst-default-${name}`,
        environment: environments[name],
        timeoutSeconds: name === "poller" ? 900 : 300,
        memoryMiB: 256,
      },
    ]),
  ) as Deployment["functions"];
  return { region, variables, functions };
}

/** A login of the job's own, and a cache whose addresses are used as the agent uses them. */
async function withLogins(world: World): Promise<void> {
  let cached = 0;
  world.front.addFault({
    // The agent leaves its result with all of its grants still good.
    when: ({ method, path }) => method === "PUT" && path.includes("/result.json"),
    do: {
      kind: "before",
      run: async () => {
        cached = await useCaches(world);
      },
    },
  });
  const credentials = [
    { type: "registry", url: "registry.example.com", username: "ci", password: "a-job-token" },
  ];
  const { id } = await world.enqueue({
    image: jobImage("registry.example.com/a/b:1"),
    cache: [{ key: "deps", paths: ["node_modules"], policy: "pull-push", when: "on_success" }],
    payload: { credentials },
  });
  await endOf(world, id, "success");
  if (cached === 0) throw new Error("the job had no addresses for its cache");
}

async function useCaches(world: World): Promise<number> {
  const bucket = stateBucket(world);
  const [key] = (await bucket.keys("jobs/")).filter((name) => name.endsWith("/grants.json"));
  const { renewed, caches } = grantsSchema.parse(JSON.parse(await bucket.read(key ?? "")));
  await fetch(renewed.url);
  for (const { get, head, put } of Object.values(caches)) {
    if (head !== undefined) await fetch(head.url, { method: "HEAD" });
    if (put !== undefined) await fetch(put.url, { method: "PUT", body: "an archive" });
    if (get !== undefined) await fetch(get.url);
  }
  return Object.keys(caches).length;
}

/** While its task waits for a machine: the poller sees that it does, and has the launcher ask. */
async function canceled(world: World): Promise<void> {
  const { id } = await world.enqueue();
  const task = await taskOf(world, id);
  world.gitlab.cancel(id);
  await until("the canceled job's task to end", () => task.lastStatus === "STOPPED");
  await world.lambda.invokeNow(world.deployment.functions.sweeper.name, {});
}

/** A claim whose launcher the poller could not invoke: the sweeper does. */
async function orphaned(world: World): Promise<void> {
  const { poller, sweeper } = world.deployment.functions;
  world.front.addFault({
    when: ({ action, caller }) => action === "Invoke" && caller === accessKeyOf(poller.name),
    do: { kind: "fail", status: 500 },
    count: Number.POSITIVE_INFINITY,
  });
  const bucket = stateBucket(world);
  // Those of the runs before may be on their way out.
  const known = new Set(await bucket.keys("claims/"));
  const { id } = await world.enqueue();
  await until("the claim", async () => {
    const key = (await bucket.keys("claims/")).find((name) => !known.has(name));
    if (key === undefined || world.gitlab.job(id).status !== "running") return false;
    // As if a minute had passed.
    await bucket.change(key, { claimedAt: Date.now() - 90_000 });
    return true;
  });
  await world.lambda.invokeNow(sweeper.name, {});
  world.front.clearFaults();
  await endOf(world, id, "failed");
}
