// One job's containers, from the first to the last: made, watched, and removed with all that was made for them.

import type { Container } from "dockerode";
import type { Duplex } from "node:stream";
import { PassThrough } from "node:stream";
import { agentExit } from "../../core/hand-off.ts";
import type { LauncherMessage } from "../../core/hand-off.ts";
import { portsToProbe } from "../../core/services.ts";
import type { ContainersPlan } from "../../core/task-plan.ts";
import { hearAgent } from "../agent-reports.ts";
import type { AgentExit, Launch, RunningJob, Trouble } from "../executor.ts";
import { agentSpec, folders, jobSpec, serviceSpec } from "./container-spec.ts";
import type { SpecContext } from "./container-spec.ts";
import type { Engine } from "./engine.ts";
import { watchOutOfMemory } from "./out-of-memory.ts";
import { pullImage } from "./pull.ts";
import type { PulledImage } from "./pull.ts";
import { followServiceLog } from "./service-log.ts";
import { isGone } from "./sweep.ts";
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
  job: Container | undefined;
  trouble: Trouble | undefined;
  readonly over: AbortController;
}

export async function startTask(input: TaskInput): Promise<RunningJob> {
  const { engine, context, launch } = input;
  const course: Course = { job: undefined, trouble: undefined, over: new AbortController() };
  try {
    await makeVolumes(engine, context);
    const agent = await engine.createContainer(agentSpec(input.plan, context));
    const pipe = await attach(agent, input);
    // Asked before the start, or a quick end would be missed.
    const ended = agent.wait({ condition: "next-exit" }) as Promise<{ StatusCode: number }>;
    await agent.start();
    const tell = (message: LauncherMessage) => {
      if (!course.over.signal.aborted) pipe.write(`${JSON.stringify(message)}\n`);
    };
    const { url } = input;
    const handOff = launch.prepare({ folders, ...(url === undefined ? {} : { url }) });
    pipe.write(`${JSON.stringify(handOff)}\n`);
    for (const text of launch.notices) tell({ kind: "notice", level: "line", text });
    const started = startOthers(input, agent, course, tell).catch((cause: unknown) => {
      course.trouble ??= explainStart(cause, input.plan.job.image);
      tell({ kind: "failed" });
    });
    return {
      agentPid: undefined,
      finished: finish(input, course, ended, started),
      interrupt: () => void agent.kill({ signal: "SIGTERM" }).catch(isGone),
    };
  } catch (cause) {
    await removeAll(engine, context);
    throw cause;
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
async function attach(agent: Container, input: TaskInput): Promise<Duplex> {
  const stream = await agent.attach({
    stream: true,
    hijack: true,
    stdin: true,
    stdout: true,
    stderr: true,
  });
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
  hearAgent(stderr, input.launch.onReport, input.onDiagnostic);
  return stream as Duplex;
}

/** The job's container and its services, all images at once. */
async function startOthers(
  input: TaskInput,
  agent: Container,
  course: Course,
  tell: (message: LauncherMessage) => void,
): Promise<void> {
  const { engine, plan, context } = input;
  const notice = (text: string) => tell({ kind: "notice", level: "line", text });
  const pulls = await Promise.all(
    [plan.job, ...plan.services].map((container) => pullImage({ engine, container, notice })),
  );
  const images: PulledImage[] = [];
  for (const pulled of pulls) {
    if (pulled.kind === "image") images.push(pulled.image);
    else course.trouble ??= pulled.trouble;
  }
  if (course.trouble !== undefined) return tell({ kind: "failed" });
  if (course.over.signal.aborted) return;

  const services = await Promise.all(
    plan.services.map(async (service, index) => {
      notice(`Starting service ${service.requestedImage} ...`);
      const container = await engine.createContainer(serviceSpec(plan, service, context, agent.id));
      await container.start();
      if (plan.debugServices) void followServiceLog(container, service, tell, course.over.signal);
      const environment = service.environment.map(
        ({ name, value }) => [name, value.reveal()] as const,
      );
      const probe = portsToProbe(environment, images[index + 1]?.exposedPorts ?? []);
      if (probe.kind === "invalid") tell({ kind: "notice", level: "warning", text: probe.message });
      return {
        name: service.requestedImage,
        hostnames: [...service.hostnames],
        ports: probe.kind === "ports" ? [...probe.ports] : [],
      };
    }),
  );
  const job = await engine.createContainer(jobSpec(plan, context, agent.id, input.bootScript));
  course.job = job;
  void watchOutOfMemory(engine, job, course.over.signal, () =>
    tell({ kind: "out-of-memory", memoryMiB: plan.job.memoryMiB }),
  );
  const jobEnded = job.wait({ condition: "next-exit" });
  await job.start();
  tell({ kind: "prepared", services });
  // A job's container that ends before its agent has no more to give; the agent hears that too.
  void jobEnded.then(
    async () => {
      if (course.over.signal.aborted) return;
      course.trouble ??= await explainJobEnd(job, plan);
      tell({ kind: "failed" });
    },
    () => undefined,
  );
}

async function finish(
  input: TaskInput,
  course: Course,
  ended: Promise<{ StatusCode: number }>,
  started: Promise<void>,
): Promise<AgentExit> {
  let exit: AgentExit;
  try {
    const { StatusCode: code } = await ended;
    const trouble = code === agentExit.confirmed ? undefined : course.trouble;
    exit = { kind: "exited", code, signal: null, trouble };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    exit = {
      kind: "exited",
      code: null,
      signal: null,
      trouble: {
        reason: "runner_system_failure",
        message: `the container engine went away: ${why}`,
      },
    };
  }
  course.over.abort();
  await started;
  await removeAll(input.engine, input.context).catch((cause: unknown) => {
    // What cannot be removed now carries our label: the next start sweeps it.
    const why = cause instanceof Error ? cause.message : String(cause);
    input.onDiagnostic(`containers were left behind for the next start to remove: ${why}`);
  });
  return exit;
}

/** By label, so that whatever was made is found, however far the making came. */
async function removeAll(engine: Engine, context: SpecContext): Promise<void> {
  const containers = await engine.listContainers({
    all: true,
    filters: { name: [`^/${context.prefix}-`] },
  });
  await Promise.all(
    containers.map(({ Id }) =>
      engine.getContainer(Id).remove({ force: true, v: true }).catch(isGone),
    ),
  );
  const { control, builds } = context.volumes;
  await Promise.all([control, builds].map((name) => engine.getVolume(name).remove().catch(isGone)));
}
