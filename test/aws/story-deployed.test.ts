// The whole way: the stack deployed to moto from its template, and a pipeline from the stand-in through the functions
// as the template sets them up, in containers with a service, artifacts and a cache, to green. Then nothing is left.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageVersion } from "../../src/cli/package-version.ts";
import { agentImageName } from "../../src/local/agent-image/ensure-agent-image.ts";
import { freshTree } from "../harness/fresh-tree.ts";
import type { FreshTree } from "../harness/fresh-tree.ts";
import { startMoto } from "../harness/moto.ts";
import type { Moto } from "../harness/moto.ts";
import { readDeployed } from "./deployment.ts";
import { claimsGone, storyReport, tasksOf } from "./story-report.ts";
import { startWorld } from "./world.ts";
import type { World } from "./world.ts";

const agentImage = "registry.example.com/agent:1";
const context = JSON.stringify({ default: { agentImage } });

let moto: Moto;
let tree: FreshTree;
let world: World;

beforeAll(async () => {
  [moto, tree] = await Promise.all([startMoto(), freshTree()]);
  await cdk("bootstrap");
  await cdk("deploy", "--require-approval", "never");
  const account = { endpoint: moto.url, region: moto.environment["AWS_REGION"] ?? "us-east-1" };
  world = await startWorld({
    deployed: { moto, deployment: await readDeployed(account) },
    engine: { aliases: { [agentImage]: agentImageName(packageVersion()) } },
  });
});

afterAll(async () => {
  await world?.close();
  tree?.remove();
  await moto?.close();
});

async function cdk(...args: readonly string[]): Promise<void> {
  await promisify(execFile)("npx", ["cdk", ...args, "-c", `gitlab-burst=${context}`], {
    cwd: tree.folder,
    env: { PATH: process.env["PATH"], HOME: tree.folder, CI: "true", ...moto.environment },
    maxBuffer: 16 * 1024 * 1024,
  });
}

const pipeline = `
build:
  stage: build
  image: busybox:latest
  services: [{name: "redis:7", alias: store}]
  cache: {key: kept, paths: [kept/]}
  script:
    - mkdir -p kept out
    - echo "was it kept? $(cat kept/file 2>/dev/null || echo no)"
    - echo yes > kept/file
    - (echo PING; sleep 1) | nc store 6379
    - echo "password $PASSWORD"
    - cat a.txt > out/result.txt
  artifacts: {paths: [out/]}
check:
  stage: test
  image: busybox:latest
  cache: {key: kept, paths: [kept/]}
  script:
    - echo "was it kept? $(cat kept/file 2>/dev/null || echo no)"
    - echo "from before $(cat out/result.txt)"
`;

test("a pipeline with a service, artifacts and a cache runs green on the deployed stack", async () => {
  const { gitlab } = world;
  await gitlab.addFiles("whole", { ".gitlab-ci.yml": pipeline, "a.txt": "the text\n" });
  world.tick("poller");
  const created = await gitlab.createPipeline("root/whole", undefined, {
    PASSWORD: "not-to-be-seen-anywhere",
  });
  if (created.kind === "invalid") throw new Error(created.errors.join("\n"));
  const ended = await gitlab
    .waitForPipeline(created.pipeline.id, 90_000)
    .catch((cause: unknown) => {
      throw new Error(storyReport(world, gitlab.jobs()[0]?.id), { cause });
    });
  const jobs = Object.fromEntries(gitlab.jobs().map((job) => [job.name, job.id]));
  const { build = 0, check = 0 } = jobs;
  if (ended.status !== "success") throw new Error(storyReport(world, build) + world.trace(check));
  expect(world.trace(build)).toContain("was it kept? no\n");
  expect(world.trace(build)).toContain("+PONG");
  expect(world.trace(check)).toContain("was it kept? yes\n");
  expect(world.trace(check)).toContain("from before the text\n");

  const [task] = tasksOf(world, build);
  if (task === undefined) throw new Error("no task");
  const { region, variables } = world.deployment;
  const group = variables.BURST_LOG_GROUP.replaceAll("/", "$252F");
  const head = world.trace(build).split("\n").slice(0, 9);
  expect(head).toEqual([
    "Starting a task on Fargate with 1 vCPU and 2 GB, 20 GB disk, x86_64, on-demand",
    "Image busybox:latest, taken from public.ecr.aws/docker/library/busybox:latest",
    "Service redis:7, taken from public.ecr.aws/docker/library/redis:7, known as redis, store",
    `Running with gitlab-burst ${packageVersion()}`,
    expect.stringMatching(/^ {2}on team \S+, system ID: s_[0-9a-f]{12}$/),
    `  this log on AWS: https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#logsV2:log-groups/log-group/${group}/log-events/team$252Fagent$252F${task.id}`,
    'Preparing the "fargate" executor',
    "Using fargate executor...",
    expect.any(String),
  ]);
  await world.engine.backEnd.gone(task.arn);
  const lines = (await world.logLines(task, "agent")).join("\n");
  expect(lines).toContain("+PONG");
});

test("what is masked on GitLab is masked in CloudWatch Logs", async () => {
  const secret = { key: "PASSWORD", value: "not-to-be-seen", masked: true };
  const job = await world.enqueue({
    script: ["echo in-$((40+2)) $PASSWORD"],
    variables: [
      { ...secret, public: false, file: false, raw: false },
      { key: "GIT_STRATEGY", value: "none", masked: false, public: true, file: false, raw: false },
    ],
  });
  expect(await world.finished(job.id)).toMatchObject({ status: "success" });
  expect(world.trace(job.id)).toContain("in-42 [MASKED]");
  const [task] = tasksOf(world, job.id);
  if (task === undefined) throw new Error("no task");
  await world.engine.backEnd.gone(task.arn);
  const lines = (await world.logLines(task, "agent")).join("\n");
  expect(lines).toContain("in-42 [MASKED]");
  expect(lines).not.toContain("not-to-be-seen");
});

test("nothing of the jobs is left in the state bucket, in Secrets Manager or in ECS", async () => {
  await claimsGone(world);
  const { objects, secrets, tasks } = await world.leftovers();
  expect(objects).toEqual(["poller/lease.json"]);
  expect({ secrets, tasks }).toEqual({ secrets: [], tasks: [] });
  expect(await world.failures.receive()).toEqual([]);
});
