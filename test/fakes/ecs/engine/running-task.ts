// One task in the engine, from its network to its removal.

import { setTimeout as delay } from "node:timers/promises";
import type { ContainerDefinition } from "@aws-sdk/client-ecs";
import type Docker from "dockerode";
import type { Duplex } from "node:stream";
import type { TaskSteps } from "../back-end.ts";
import { overrideOf } from "../task.ts";
import type { FakeTask } from "../task.ts";
import { containerOptions, networkControls } from "./container-options.ts";
import type { ExecutionRole } from "./execution-role.ts";
import { pullImage } from "./images.ts";
import type { Aliases, Login, PulledImage } from "./images.ts";
import { driveLogs } from "./log-driver.ts";
import type { SeenContainer } from "./metadata.ts";

export interface RunningTaskParts {
  readonly steps: TaskSteps;
  readonly engine: Docker;
  readonly role: ExecutionRole;
  readonly metadataUrl: (runtimeId: string) => string;
  readonly networkImage: string;
  readonly pullFailure: "task" | "container";
  readonly aliases: Aliases;
  readonly beforePull: (container: string) => Promise<void>;
}

export interface RunningTask {
  readonly task: FakeTask;
  readonly containers: readonly SeenContainer[];
  begin(): void;
  stop(): void;
  kill(container: string, signal: string): Promise<void>;
  containerId(container: string): string | undefined;
  remove(): void;
  readonly gone: Promise<void>;
}

/** What the platform has got for the task before its containers. */
interface Prepared {
  readonly network: string;
  readonly files: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly logins: ReadonlyMap<string, Login>;
}

/** ECS's own words for what kept a task from starting. */
class StartTrouble extends Error {}

const usualStopSeconds = 30;

export function createRunningTask(parts: RunningTaskParts): RunningTask {
  const { steps, engine, role } = parts;
  const { task } = steps;
  const definitions = task.definition.containerDefinitions ?? [];
  const prefix = `fake-ecs-${task.id.slice(0, 12)}`;
  const labels = { "fake-ecs-task": task.id };
  const containers: SeenContainer[] = task.containers.map(({ name }) => ({
    name,
    knownStatus: "NONE",
    dockerId: "",
    imageId: "",
    createdAt: undefined,
    startedAt: undefined,
    finishedAt: undefined,
  }));
  const seen = (name: string) => {
    const found = containers.find((container) => container.name === name);
    if (found === undefined) throw new RangeError(`the task has no container "${name}"`);
    return found;
  };
  const logs: Promise<void>[] = [];
  const streamOf = (definition: ContainerDefinition) => {
    const options = definition.logConfiguration?.options ?? {};
    const group = options["awslogs-group"];
    if (group === undefined) return undefined;
    return { group, stream: `${options["awslogs-stream-prefix"]}/${definition.name}/${task.id}` };
  };
  const stopping = () => task.desiredStatus === "STOPPED";

  const prepare = async (): Promise<Prepared> => {
    const files = new Map<string, Record<string, string>>();
    const logins = new Map<string, Login>();
    for (const definition of definitions) {
      const name = definition.name ?? "";
      const override = overrideOf(task, name).environmentFiles;
      for (const { value = "" } of override ?? definition.environmentFiles ?? []) {
        const read = await role.environmentFile(value).catch((cause: unknown) => {
          throw initialization(
            `failed to download env files: file download command: non empty error stream: service call has been retried 1 time(s): ${messageOf(cause)}`,
          );
        });
        files.set(name, { ...files.get(name), ...read });
      }
      const secret = definition.repositoryCredentials?.credentialsParameter;
      if (secret !== undefined) {
        const login = await role.login(secret).catch((cause: unknown) => {
          throw initialization(
            `unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): ${messageOf(cause)}`,
          );
        });
        logins.set(name, login);
      }
      const target = streamOf(definition);
      if (target !== undefined) {
        await role.createLogStream(target.group, target.stream).catch((cause: unknown) => {
          throw initialization(
            `failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: ${messageOf(cause)}`,
          );
        });
      }
    }
    return { network: await makeNetwork(), files, logins };
  };

  const makeNetwork = async (): Promise<string> => {
    const image = await pullImage(engine, parts.networkImage, undefined);
    const holder = await engine.createContainer({
      name: `${prefix}-network`,
      Image: image.id,
      Entrypoint: ["sleep", "1000000"],
      Cmd: [],
      Labels: labels,
      HostConfig: { NetworkMode: "bridge", Sysctls: { ...networkControls(task) } },
    });
    await holder.start();
    const volumes = (task.definition.volumes ?? []).map(({ name }) => `${prefix}-${name}`);
    await Promise.all(
      volumes.map((Name) => engine.createVolume({ Name, Labels: labels, Driver: "local" })),
    );
    return holder.id;
  };

  const pulled = async (definition: ContainerDefinition, prepared: Prepared) => {
    const name = definition.name ?? "";
    await parts.beforePull(name);
    const image = await pullImage(
      engine,
      definition.image ?? "",
      prepared.logins.get(name),
      parts.aliases,
    );
    seen(name).knownStatus = "PULLED";
    seen(name).imageId = image.id;
    if (containers.every(({ knownStatus }) => knownStatus !== "NONE")) steps.pulled();
    return image;
  };

  const startOne = async (
    definition: ContainerDefinition,
    image: PulledImage,
    prepared: Prepared,
  ) => {
    const name = definition.name ?? "";
    const fake = task.containers.find((container) => container.name === name);
    if (stopping()) return;
    const options = containerOptions(task, definition, {
      name: `${prefix}-${name}`,
      labels,
      networkOf: prepared.network,
      image: image.id,
      imageVolumes: image.volumes,
      volume: (volume) => `${prefix}-${volume}`,
      fileVariables: prepared.files.get(name) ?? {},
      metadataUrl: parts.metadataUrl(fake?.runtimeId ?? ""),
    });
    const { name: containerName, ...body } = options;
    const made = await engine.createContainer({
      _query: { name: containerName },
      _body: body,
    } as Docker.ContainerCreateOptions);
    Object.assign(seen(name), {
      knownStatus: "CREATED",
      dockerId: made.id,
      createdAt: Date.now(),
    });
    const target = streamOf(definition);
    const output: Duplex | undefined =
      target === undefined
        ? undefined
        : ((await made.attach({ stream: true, stdout: true, stderr: true })) as Duplex);
    if (output !== undefined && target !== undefined) {
      const delivered = driveLogs(output, role, target.group, target.stream).done;
      logs.push(delivered.catch(() => undefined));
    }
    const ended = made.wait({ condition: "next-exit" });
    if (stopping()) {
      output?.destroy();
      return;
    }
    await made.start();
    Object.assign(seen(name), { knownStatus: "RUNNING", startedAt: Date.now() });
    void watchEnd(name, made, ended);
    steps.containerStarted(name, image.id);
    if (stopping()) stopOne(name);
  };

  const watchEnd = async (name: string, made: Docker.Container, ended: Promise<unknown>) => {
    try {
      await ended;
      const { State } = await made.inspect();
      Object.assign(seen(name), { knownStatus: "STOPPED", finishedAt: Date.now() });
      const reason = State.OOMKilled
        ? "OutOfMemoryError: Container killed due to memory usage"
        : undefined;
      steps.containerStopped(name, State.ExitCode, reason);
    } catch {
      // The engine has gone, or the container with it.
      steps.containerStopped(name, 137);
    }
  };

  const bring = async (definition: ContainerDefinition, prepared: Prepared) => {
    const name = definition.name ?? "";
    try {
      const image = await pulled(definition, prepared);
      await startOne(definition, image, prepared);
    } catch (cause) {
      const text = messageOf(cause);
      const pull = text.startsWith("CannotPullContainerError");
      const reason = pull ? text : `CannotStartContainerError: Error response from daemon: ${text}`;
      const essential = definition.essential !== false;
      seen(name).knownStatus = "STOPPED";
      if (essential || (pull && parts.pullFailure === "task")) steps.failedToStart(reason, name);
      else steps.containerStopped(name, undefined, reason);
    }
  };

  const run = async () => {
    steps.provisioned();
    try {
      const prepared = await prepare();
      if (stopping()) return;
      steps.pulling();
      await Promise.all(definitions.map((definition) => bring(definition, prepared)));
    } catch (cause) {
      const text =
        cause instanceof StartTrouble ? cause.message : `InternalError: ${messageOf(cause)}`;
      steps.failedToStart(text);
    }
  };

  const stopOne = (name: string) => {
    const { dockerId, knownStatus } = seen(name);
    if (dockerId === "" || knownStatus !== "RUNNING") return;
    const definition = definitions.find((candidate) => candidate.name === name);
    const seconds = definition?.stopTimeout ?? usualStopSeconds;
    // One that has just ended needs no stop.
    void engine
      .getContainer(dockerId)
      .stop({ t: seconds })
      .catch(() => undefined);
  };

  let begun: Promise<void> = Promise.resolve();
  let removal: Promise<void> | undefined;
  let gone = () => {};
  const goneAtLast = new Promise<void>((resolve) => {
    gone = resolve;
  });
  const removeAll = async () => {
    await Promise.race([begun, delay(20_000, undefined, { ref: false })]);
    const filters = { label: [`fake-ecs-task=${task.id}`] };
    const listed = await engine.listContainers({ all: true, filters });
    // What still runs gets no more time: its logs end with it.
    const others = listed.filter(({ Names }) => !Names.some((name) => name.endsWith("-network")));
    for (const { Id, State } of others) {
      if (State === "running")
        await engine
          .getContainer(Id)
          .kill()
          .catch(() => undefined);
    }
    await Promise.race([Promise.all(logs), delay(10_000, undefined, { ref: false })]);
    for (const { Id } of listed) {
      await engine
        .getContainer(Id)
        .remove({ force: true, v: true })
        .catch(() => undefined);
    }
    for (const { name } of task.definition.volumes ?? []) {
      await engine
        .getVolume(`${prefix}-${name}`)
        .remove()
        .catch(() => undefined);
    }
  };
  return {
    task,
    containers,
    begin() {
      begun = run();
    },
    stop() {
      for (const { name } of containers) stopOne(name);
    },
    async kill(name, signal) {
      await engine.getContainer(seen(name).dockerId).kill({ signal });
    },
    containerId: (name) => seen(name).dockerId || undefined,
    remove() {
      removal ??= removeAll().finally(gone);
      removal.catch(() => undefined);
    },
    gone: goneAtLast,
  };
}

function initialization(text: string): StartTrouble {
  return new StartTrouble(`ResourceInitializationError: ${text}`);
}

function messageOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.name === "Error" ? cause.message : `${cause.name}: ${cause.message}`;
}
