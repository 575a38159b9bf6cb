// One job's containers, from the first to the last: made, watched, and removed with all that was made for them.

import type { Container } from "dockerode";
import type { Duplex } from "node:stream";
import { PassThrough } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { agentExit } from "../../core/hand-off.ts";
import type { AgentReport, LauncherMessage } from "../../core/hand-off.ts";
import { RunnerError } from "../../core/errors.ts";
import type { ContainersPlan } from "../../core/task-plan.ts";
import { hearAgent } from "../agent-reports.ts";
import type { AgentExit, Launch, RunningJob, Trouble } from "../executor.ts";
import { attach } from "./attach.ts";
import { nextExit } from "./container-exit.ts";
import { agentSpec, folders, jobSpec } from "./container-spec.ts";
import type { SpecContext } from "./container-spec.ts";
import type { Engine } from "./engine.ts";
import { createContainer, engineText } from "./engine-call.ts";
import { watchOutOfMemory } from "./out-of-memory.ts";
import { pullImage } from "./pull.ts";
import type { PulledImage } from "./pull.ts";
import { startServices } from "./services.ts";
import { removeTask } from "./remove.ts";
import { explainJobEnd, explainStart } from "./trouble.ts";

export interface TaskInput {
  readonly engine: Engine;
  readonly plan: ContainersPlan;
  readonly context: SpecContext;
  readonly bootScript: string;
  /** GitLab as the containers reach it, where that is not as we do. */
  readonly url?: string;
  readonly launch: Launch;
  readonly onLog: (bytes: Uint8Array) => void;
  readonly onDiagnostic: (text: string) => void;
}

/** What an end needs to know about the containers' beginnings. */
interface Course {
  trouble: Trouble | undefined;
  /** Why the job's container ended; its agent's death ends it, too. */
  jobEnd: Trouble | undefined;
  scriptBegan: boolean;
  /** Resolves when the end of the job's container has been looked into. */
  jobExplained: Promise<void> | undefined;
  readonly over: AbortController;
}

const explainMs = 3000;

export async function startTask(input: TaskInput): Promise<RunningJob> {
  const { engine, context, launch } = input;
  const course: Course = {
    trouble: undefined,
    jobEnd: undefined,
    scriptBegan: false,
    jobExplained: undefined,
    over: new AbortController(),
  };
  try {
    await makeVolumes(engine, context);
    const agent = await createContainer(engine, agentSpec(input.plan, context));
    const pipe = await connect(agent, input, course);
    // Asked before the start, or a quick end would be missed.
    const ended = nextExit(agent);
    await agent.start();
    const tell = (message: LauncherMessage) => {
      if (!course.over.signal.aborted) pipe.write(`${JSON.stringify(message)}\n`);
    };
    const { url } = input;
    const handOff = launch.prepare({ folders, ...(url === undefined ? {} : { url }) });
    pipe.write(`${JSON.stringify(handOff)}\n`);
    for (const text of launch.notices) tell({ kind: "notice", level: "line", text });
    const started = startOthers(input, agent, course, tell).catch((cause: unknown) => {
      course.trouble ??= {
        reason: "runner_system_failure",
        message: `the job's containers could not be made: ${engineText(cause)}`,
      };
      tell({ kind: "failed" });
    });
    return {
      agentPid: undefined,
      finished: finish(input, course, ended, started),
      interrupt: () => {
        // One that has just ended needs no signal.
        void agent.kill({ signal: "SIGTERM" }).catch(() => undefined);
      },
    };
  } catch (cause) {
    await removeAll(input).catch((second: unknown) => leftBehind(input, second));
    throw new RunnerError("runner_system_failure", engineText(cause), { cause });
  }
}

async function makeVolumes(engine: Engine, { volumes, labels }: SpecContext): Promise<void> {
  await Promise.all(
    [volumes.control, volumes.builds].map((Name) =>
      engine.createVolume({ Name, Labels: { ...labels } }),
    ),
  );
}

/** The agent's stdin; its stdout and stderr go where they belong. */
async function connect(agent: Container, input: TaskInput, course: Course): Promise<Duplex> {
  const stream = await attach(input.engine, agent.id);
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  agent.modem.demuxStream(stream, stdout, stderr);
  stream.on("end", () => {
    stdout.end();
    stderr.end();
  });
  stream.on("error", () => {
    // The engine has gone; what waits for the agent's end hears of it.
  });
  stdout.on("data", (bytes: Buffer) => input.onLog(bytes));
  const onReport = (report: AgentReport) => {
    if (report.kind === "started") course.scriptBegan = true;
    input.launch.onReport(report);
  };
  hearAgent(stderr, onReport, input.onDiagnostic);
  return stream;
}

/** The job's container and its services, all images at once. */
async function startOthers(
  input: TaskInput,
  agent: Container,
  course: Course,
  tell: (message: LauncherMessage) => void,
): Promise<void> {
  const { engine, plan, context } = input;
  const { mask } = input.launch;
  const notice = (text: string) => tell({ kind: "notice", level: "line", text });
  const fail = (trouble: Trouble) => {
    course.trouble ??= trouble;
    tell({ kind: "failed" });
  };
  const pulls = await Promise.all(
    [plan.job, ...plan.services].map((container) =>
      pullImage({ engine, container, notice, over: course.over.signal }),
    ),
  );
  const images: PulledImage[] = [];
  for (const pulled of pulls) {
    if (pulled.kind === "image") images.push(pulled.image);
    else course.trouble ??= pulled.trouble;
  }
  if (course.trouble !== undefined) return fail(course.trouble);
  if (course.over.signal.aborted) return;

  const services = await startServices({
    engine,
    plan,
    context,
    agentId: agent.id,
    exposedPorts: images.slice(1).map(({ exposedPorts }) => exposedPorts),
    tell,
    mask,
    over: course.over.signal,
  });
  if (services.kind === "trouble") return fail(services.trouble);
  if (course.over.signal.aborted) return;
  let job: Container;
  let jobEnded: Promise<unknown>;
  try {
    job = await createContainer(engine, jobSpec(plan, context, agent.id, input.bootScript));
    void watchOutOfMemory(engine, job, course.over.signal, () =>
      tell({ kind: "out-of-memory", memoryMiB: plan.job.memoryMiB }),
    );
    jobEnded = nextExit(job);
    await job.start();
  } catch (cause) {
    return fail(explainStart(cause, plan.job, false));
  }
  tell(services.prepared);
  // A job's container that ends before its agent has no more to give; the agent hears that too.
  course.jobExplained = jobEnded
    .then(async () => {
      if (course.over.signal.aborted) return;
      course.jobEnd = await explainJobEnd(job, plan, course.scriptBegan, mask);
      tell({ kind: "failed" });
    })
    .catch(() => {
      // The engine has gone; what waits for the agent's end tells so.
    });
}

async function finish(
  input: TaskInput,
  course: Course,
  ended: Promise<number>,
  started: Promise<void>,
): Promise<AgentExit> {
  let exit: AgentExit;
  try {
    const code = await ended;
    // The agent may have seen the end of the job's container before we did.
    if (code === agentExit.containerGone) {
      await Promise.race([course.jobExplained, delay(explainMs, undefined, { ref: false })]);
    }
    const trouble = code === agentExit.confirmed ? undefined : troubleOf(course, code);
    exit = { kind: "exited", code, signal: null, trouble };
  } catch (cause) {
    exit = {
      kind: "exited",
      code: null,
      signal: null,
      trouble: {
        reason: "runner_system_failure",
        message: `the container engine went away: ${engineText(cause)}`,
      },
    };
  }
  course.over.abort();
  await started;
  await removeAll(input).catch((cause: unknown) => leftBehind(input, cause));
  return exit;
}

function troubleOf(course: Course, agentCode: number): Trouble | undefined {
  return course.trouble ?? (agentCode === agentExit.containerGone ? course.jobEnd : undefined);
}

/** What cannot be removed now carries our label: the next start sweeps it. */
function leftBehind(input: TaskInput, cause: unknown): void {
  input.onDiagnostic(
    `containers were left behind for the next start to remove: ${engineText(cause)}`,
  );
}

async function removeAll({ engine, context }: TaskInput): Promise<void> {
  const { control, builds } = context.volumes;
  await removeTask(engine, context.prefix, [control, builds]);
}
