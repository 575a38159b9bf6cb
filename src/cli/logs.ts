// `burst logs`: the log of a job as CloudWatch has it, followed until its task has ended. Masked as on GitLab's page, it
// is there also when GitLab is not.

import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import {
  DescribeTasksCommand,
  ECSClient,
  ListTasksCommand,
  paginateListTasks,
} from "@aws-sdk/client-ecs";
import { Command } from "commander";
import { sleep } from "../agent/clock.ts";
import { createLogs } from "../aws/logs.ts";
import type { Logs } from "../aws/logs.ts";
import { parseClaimId } from "../core/claim.ts";
import { SettingsError } from "../core/errors.ts";
import { parseJobName } from "../core/job-name.ts";
import type { JobName } from "../core/job-name.ts";
import {
  clientOptions,
  deployedEnvironment,
  environmentOption,
  onAws,
  parametersPath,
  prefixOption,
  regionOption,
} from "./aws-place.ts";
import type { DeployedPlace } from "./aws-place.ts";
import { reportFailure } from "./exit.ts";

interface LogsOptions extends DeployedPlace {
  readonly cluster?: string;
  readonly logGroup?: string;
  readonly follow: boolean;
}

export function logsCommand(): Command {
  return new Command("logs")
    .description("follow the log of a job on AWS")
    .argument("<job>", "the job's number in GitLab, its claim, or its task's id or ARN")
    .addOption(environmentOption())
    .addOption(regionOption())
    .addOption(prefixOption())
    .option("--cluster <name>", "ECS's cluster (default: the environment's)")
    .option("--log-group <name>", "of the jobs (default: the environment's)")
    .option("--no-follow", "print what is there, and end")
    .action(async (job: string, options: LogsOptions) => {
      try {
        await onAws(() => showLog(job, options));
      } catch (cause) {
        reportFailure(cause);
      }
    });
}

async function showLog(job: string, options: LogsOptions): Promise<void> {
  parametersPath(options);
  const name = parseJobName(job);
  if (name === undefined) {
    throw new SettingsError(
      `${JSON.stringify(job)} is no job: give its number in GitLab, its claim (runner/cpu/key), or its task's id or ARN`,
    );
  }
  const { cluster, logGroup } = await findPlace(options);
  const ecs = new ECSClient(clientOptions(options));
  const cloudWatch = new CloudWatchLogsClient(clientOptions(options));
  try {
    const logs = createLogs(cloudWatch, logGroup);
    const task = await findTask(ecs, cluster, name).catch((cause: unknown) => {
      // A log outlives its cluster; then only the task's id leads to it.
      if (cause instanceof Error && cause.name === "ClusterNotFoundException") return undefined;
      throw cause;
    });
    const stream = await findStream(logs, name, task);
    if (stream === undefined) {
      throw new SettingsError(
        `Nothing is known of ${job} in cluster ${cluster}: ECS forgets a task an hour after its end, and the log is then found by the task's id, which is at the top of the job's log in GitLab`,
      );
    }
    const isOver = async () =>
      task === undefined || (await statusOf(ecs, cluster, task.arn)) === "STOPPED";
    await print(logs, stream, options.follow, isOver);
  } finally {
    ecs.destroy();
    cloudWatch.destroy();
  }
}

async function findPlace(options: LogsOptions) {
  const { cluster, logGroup } = options;
  if (cluster !== undefined && logGroup !== undefined) return { cluster, logGroup };
  const deployed = await deployedEnvironment(options);
  if (deployed === undefined) {
    throw new SettingsError(
      `There is no environment ${options.env} in this account and region: see --env and --region, --prefix where its namePrefix was set, or give --cluster and --log-group`,
    );
  }
  return {
    cluster: cluster ?? deployed.BURST_CLUSTER,
    logGroup: logGroup ?? deployed.BURST_LOG_GROUP,
  };
}

interface FoundTask {
  readonly arn: string;
  readonly runner: string | undefined;
}

/** The youngest, where a job had several. */
async function findTask(
  ecs: ECSClient,
  cluster: string,
  name: JobName,
): Promise<FoundTask | undefined> {
  const arns = await candidates(ecs, cluster, name);
  const found: { readonly task: FoundTask; readonly createdAt: number }[] = [];
  for (let from = 0; from < arns.length; from += 100) {
    const tasks = arns.slice(from, from + 100);
    const answer = await ecs.send(new DescribeTasksCommand({ cluster, tasks, include: ["TAGS"] }));
    for (const { taskArn, tags = [], startedBy = "", createdAt } of answer.tasks ?? []) {
      if (taskArn === undefined) continue;
      const ofJob = tags.find(({ key }) => key === "job")?.value;
      if (name.kind === "job" && ofJob !== String(name.jobId)) continue;
      const task = { arn: taskArn, runner: parseClaimId(startedBy)?.runner };
      found.push({ task, createdAt: createdAt?.getTime() ?? 0 });
    }
  }
  return found.toSorted((a, b) => b.createdAt - a.createdAt)[0]?.task;
}

async function candidates(
  ecs: ECSClient,
  cluster: string,
  name: JobName,
): Promise<readonly string[]> {
  if (name.kind === "task") return [name.taskId];
  const arns: string[] = [];
  for (const desiredStatus of ["RUNNING", "STOPPED"] as const) {
    if (name.kind === "claim") {
      const answer = await ecs.send(
        new ListTasksCommand({ cluster, startedBy: name.name, desiredStatus }),
      );
      arns.push(...(answer.taskArns ?? []));
      continue;
    }
    for await (const page of paginateListTasks({ client: ecs }, { cluster, desiredStatus })) {
      arns.push(...(page.taskArns ?? []));
    }
  }
  return arns;
}

async function findStream(
  logs: Logs,
  name: JobName,
  task: FoundTask | undefined,
): Promise<string | undefined> {
  const taskId = task?.arn.split("/").at(-1) ?? (name.kind === "task" ? name.taskId : undefined);
  if (taskId === undefined) return undefined;
  if (task?.runner !== undefined) return `${task.runner}/agent/${taskId}`;
  const streams = await logs.streams("");
  return streams.find((stream) => stream.name.endsWith(`/agent/${taskId}`))?.name;
}

async function statusOf(ecs: ECSClient, cluster: string, task: string): Promise<string> {
  const answer = await ecs.send(new DescribeTasksCommand({ cluster, tasks: [task] }));
  return answer.tasks?.[0]?.lastStatus ?? "STOPPED";
}

const lookMilliseconds = 2000;

async function print(
  logs: Logs,
  stream: string,
  follow: boolean,
  isOver: () => Promise<boolean>,
): Promise<void> {
  let from: string | undefined;
  for (;;) {
    const over = !follow || (await isOver());
    for (;;) {
      const part = await logs.read(stream, from);
      for (const { text } of part.lines) process.stdout.write(`${text.replace(/\n$/, "")}\n`);
      const isEnd = part.next === from || part.next === undefined;
      from = part.next;
      if (isEnd) break;
    }
    if (over) return;
    await sleep(lookMilliseconds);
  }
}
