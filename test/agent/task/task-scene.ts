// A task on ECS, played on this machine: the stand-in as GitLab, a bucket, the metadata endpoint, the real agent as a
// process of its own with nothing but the address of its hand-off, and the real boot script in a real shell.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { Grants, HandOff, TaskHandOff } from "../../../src/core/hand-off.ts";
import type { RawJob } from "../../../src/stand-in/raw-job.ts";
import type { StandInOptions } from "../../../src/stand-in/start.ts";
import { agentProgram } from "../../harness/agent-program.ts";
import { plainText } from "../../harness/project.ts";
import { newMark, until } from "../../harness/processes.ts";
import { gitLab } from "../../stand-in/gitlab.ts";
import type { ClaimedJob, TestGitLab } from "../../stand-in/gitlab.ts";
import { grantsOf, startBucket } from "./bucket.ts";
import type { Bucket } from "./bucket.ts";
import { startMetadataEndpoint } from "./metadata-endpoint.ts";
import type { MetadataEndpoint } from "./metadata-endpoint.ts";

export interface TaskScene {
  readonly gitlab: TestGitLab;
  readonly job: ClaimedJob;
  readonly bucket: Bucket;
  readonly endpoint: MetadataEndpoint;
  readonly folder: string;
  readonly agent: ChildProcess;
  /** What the agent said about itself. */
  readonly diagnostics: () => string;
  /** What went to CloudWatch. */
  readonly mirrored: () => string;
  /** The job's container. */
  readonly boot: ChildProcess | undefined;
  /** The agent's exit code. */
  readonly ended: Promise<number | null>;
  /** GitLab's log, as a reader sees it. */
  trace(): string;
  traceHas(text: string): Promise<void>;
  hostsFile(whose: "agent" | "job"): string;
}

export interface TaskSceneOptions {
  readonly raw?: RawJob;
  readonly standIn?: StandInOptions;
  readonly task?: Partial<TaskHandOff>;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly grants?: (bucket: Bucket) => Grants;
  /** No container comes to life for the job. */
  readonly withoutBoot?: boolean;
  /** Its /etc/hosts cannot be written. */
  readonly readOnlyHosts?: boolean;
  /** Before the agent is started. */
  readonly prepare?: (scene: Pick<TaskScene, "gitlab" | "job" | "bucket" | "endpoint">) => unknown;
}

const bootScript = readFileSync(
  fileURLToPath(new URL("../../../src/agent/boot.sh", import.meta.url)),
  "utf8",
);
const stamp = "2026-01-02T03:04:05.678901Z 00O ";
/** What the launcher has told GitLab's log. */
export const inherited = `${stamp}\u001B[0KStarting a task: 1 vCPU, 2048 MiB\u001B[0;m\n`;
/** What an attempt before has. */
export const earlier = `${stamp}the first attempt was here\n`;

export async function playTask(options: TaskSceneOptions = {}): Promise<TaskScene> {
  const gitlab = await gitLab({ watched: true, ...options.standIn });
  await gitlab.standIn.enqueue({ variables: { GIT_STRATEGY: "none" }, ...options.raw });
  const job = await gitlab.claim();
  await gitlab.patch(job, 0, inherited);
  const bucket = await startBucket();
  const claimedAt = Date.now() - 25_000;
  const startedAt = new Date(claimedAt + 21_500).toISOString();
  const endpoint = await startMetadataEndpoint(
    {
      agent: { image: "agent:1", status: "RUNNING", startedAt },
      job: { image: "alpine:3", status: "RUNNING", startedAt },
    },
    [claimedAt + 10_100, claimedAt + 20_600],
  );
  onTestFinished(() => {
    bucket.close();
    endpoint.close();
  });
  await options.prepare?.({ gitlab, job, bucket, endpoint });
  const folder = await mkdtemp(join(tmpdir(), "burst-task-"));
  const handOff = handOffOf({ gitlab, job, bucket, folder }, claimedAt, options);
  bucket.objects.set("hand-off.json", JSON.stringify(handOff));
  return await start({ gitlab, job, bucket, endpoint, folder }, options);
}

function handOffOf(
  { gitlab, job, bucket, folder }: Pick<TaskScene, "gitlab" | "job" | "bucket" | "folder">,
  claimedAt: number,
  options: TaskSceneOptions,
): HandOff {
  return {
    version: 1,
    gitlab: { url: gitlab.standIn.url, systemId: "s_0123456789ab" },
    runner: {
      name: "tasks",
      shortToken: "abc",
      version: "1.0.0",
      revision: "",
      shell: "sh",
      labels: {},
    },
    executor: "fargate",
    settings: { ...options.settings },
    job: JSON.stringify(job),
    claimedAt,
    concurrentId: 0,
    concurrentProjectId: 0,
    folders: {
      control: join(folder, "control"),
      builds: join(folder, "builds"),
      cache: join(folder, "cache"),
      scratch: join(folder, "scratch"),
    },
    task: {
      jobKey: "0123456789abcdef0123456789abcdef",
      attempt: 1,
      launchedAt: claimedAt + 800,
      trace: inherited,
      notices: ["Capacity: on-demand"],
      jobContainer: "job",
      services: [],
      hosts: [],
      memoryMiB: 1792,
      logs: { region: "eu-west-1", group: "/burst/jobs", streamPrefix: "burst" },
      grants: (options.grants ?? ((at) => grantsOf(at, Date.now())))(bucket),
      ...options.task,
    },
  };
}

async function start(
  at: Pick<TaskScene, "gitlab" | "job" | "bucket" | "endpoint" | "folder">,
  options: TaskSceneOptions,
): Promise<TaskScene> {
  const { gitlab, job, bucket, endpoint, folder } = at;
  const mark = newMark();
  const hostsOf = (whose: string) => join(folder, `hosts-${whose}`);
  for (const whose of ["agent", "job"]) writeFileSync(hostsOf(whose), "127.0.0.1 localhost\n");
  mkdirSync(join(folder, "control"));
  mkdirSync(join(folder, "builds"));
  const environment = { PATH: process.env["PATH"], HOME: folder, ...mark.environment };
  const agent = spawn(process.execPath, [await agentProgram()], {
    env: {
      ...environment,
      BURST_HAND_OFF_URL: bucket.sign("GET", "hand-off.json").url,
      ECS_CONTAINER_METADATA_URI_V4: endpoint.url,
      BURST_HOSTS: hostsOf("agent"),
    },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const [out, err]: [string[], string[]] = [[], []];
  agent.stdout?.on("data", (bytes: Buffer) => out.push(bytes.toString()));
  agent.stderr?.on("data", (bytes: Buffer) => err.push(bytes.toString()));
  const ended = new Promise<number | null>((resolve) => void agent.once("close", resolve));
  const boot = options.withoutBoot === true ? undefined : bootIn(folder, environment, options);
  onTestFinished(async () => {
    await mark.killAll();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  const trace = () => plainText(gitlab.standIn.job(job.id).trace());
  return {
    ...at,
    agent,
    boot,
    ended,
    diagnostics: () => err.join(""),
    mirrored: () => out.join(""),
    trace,
    traceHas: (text) =>
      until(text, () => trace().includes(text) || undefined).then(() => undefined),
    hostsFile: (whose) => readFileSync(hostsOf(whose), "utf8"),
  };
}

function bootIn(
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
  options: TaskSceneOptions,
): ChildProcess {
  const readOnly = options.readOnlyHosts === true;
  return spawn("/bin/sh", ["-c", bootScript, "burst-boot"], {
    env: {
      ...environment,
      BURST_CONTROL: join(folder, "control"),
      BURST_COOKIE: randomBytes(12).toString("hex"),
      // A folder cannot be written as a file by anybody, root included.
      BURST_HOSTS: readOnly ? folder : join(folder, "hosts-job"),
    },
    stdio: "ignore",
    detached: true,
  });
}
