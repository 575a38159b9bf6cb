// What a story asks about again and again: the tasks of a job, the lines of a function's log, the time that has to
// have passed, and all of it in one text when a story ends badly.

import {
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type { Tag } from "@aws-sdk/client-ecs";
import type { FunctionName } from "../../infra/bundles.ts";
import type { JobStatus } from "../../src/stand-in/model.ts";
import type { JobView } from "../../src/stand-in/views.ts";
import type { AwsRequest } from "../fakes/request.ts";
import type { FakeTask } from "../fakes/ecs/task.ts";
import { pause } from "../harness/containers.ts";
import type { World } from "./world.ts";

/** Of one job, oldest first. */
export function tasksOf(world: World, jobId: number): readonly FakeTask[] {
  const isJob = (tag: Tag) => tag.key === "job" && tag.value === String(jobId);
  return world.tasks().filter(({ request }) => (request.tags ?? []).some(isJob));
}

/** The so-manieth task of a job, when it is there. */
export async function taskOf(world: World, jobId: number, number = 1): Promise<FakeTask> {
  const find = () => tasksOf(world, jobId)[number - 1];
  await until(
    `task ${number} of job ${jobId}`,
    () => find() !== undefined,
    () => storyReport(world, jobId),
  );
  const task = find();
  if (task === undefined) throw new Error("no task");
  return task;
}

/** The job's end, and all that is known where it is another one. */
export async function endOf(world: World, jobId: number, status: JobStatus): Promise<JobView> {
  const ended = await world.finished(jobId).catch((cause: unknown) => {
    throw new Error(storyReport(world, jobId), { cause });
  });
  if (ended.status !== status) throw new Error(storyReport(world, jobId));
  return ended;
}

export async function claimsGone(world: World): Promise<void> {
  await until(
    "the claims to go",
    async () => {
      const { objects } = await world.leftovers();
      return objects.every((key) => !/^(claims|jobs)\//.test(key));
    },
    () => storyReport(world),
  );
}

export function logOf(world: World, name: FunctionName): string {
  return world.lambda.log(world.deployment.functions[name].name);
}

export const isRunTask = ({ action }: AwsRequest) => action === "RunTask";

/** The write of a new claim. */
export const isClaim = ({ method, path, headers }: AwsRequest) =>
  method === "PUT" && /\/claims\/[^?]+\.json/.test(path) && headers["if-none-match"] === "*";

export function stateBucket({ front, deployment }: World) {
  const credentials = { accessKeyId: "TESTER", secretAccessKey: "nothing" };
  const { region, variables } = deployment;
  const s3 = new S3Client({ endpoint: front.url, region, credentials, forcePathStyle: true });
  const Bucket = variables.BURST_STATE_BUCKET;
  return {
    async keys(prefix: string): Promise<readonly string[]> {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: prefix }));
      return Contents.map(({ Key = "" }) => Key);
    },
    async read(key: string): Promise<string> {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: key }));
      return (await Body?.transformToString()) ?? "";
    },
    /** As the record would be if it were from another time. */
    async change(key: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: key }));
      const record = JSON.parse((await Body?.transformToString()) ?? "{}") as object;
      await s3.send(
        new PutObjectCommand({ Bucket, Key: key, Body: JSON.stringify({ ...record, ...fields }) }),
      );
    },
  };
}

export function storyReport(world: World, jobId?: number): string {
  const { deployment, lambda, trace, tasks } = world;
  const logs = Object.values(deployment.functions).map(
    ({ name }) => `== ${name}\n${lambda.log(name).slice(-3000)}`,
  );
  const states = tasks().map(
    ({ lastStatus, stopCode, stoppedReason, containers }) =>
      `${lastStatus} ${stopCode} ${stoppedReason} ${JSON.stringify(containers)}`,
  );
  return [...(jobId === undefined ? [] : [trace(jobId)]), ...logs, ...states].join("\n");
}

const patienceMs = 50_000;

/** Within a story's own time. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  more: () => string = () => "",
): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}\n${more()}`);
    await pause(50);
  }
}
