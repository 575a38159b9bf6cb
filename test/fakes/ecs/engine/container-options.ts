// From a registered container and its override to what the engine is asked for: as Fargate runs it, so nothing is
// added that the definition does not say.

import type { ContainerDefinition } from "@aws-sdk/client-ecs";
import type { ContainerCreateOptions } from "dockerode";
import { overrideOf } from "../task.ts";
import type { FakeTask } from "../task.ts";

export interface ContainerPlace {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Whose network it joins. */
  readonly networkOf: string;
  /** Local name or id. */
  readonly image: string;
  /** Paths that the image declares as volumes: only there its own files come along. */
  readonly imageVolumes: readonly string[];
  readonly volume: (name: string) => string;
  /** From files, before the definition's own. */
  readonly fileVariables: Readonly<Record<string, string>>;
  readonly metadataUrl: string;
}

const mebibyte = 1024 * 1024;

export function containerOptions(
  task: FakeTask,
  definition: ContainerDefinition,
  place: ContainerPlace,
): ContainerCreateOptions {
  const override = overrideOf(task, definition.name ?? "");
  const memory = override.memory ?? definition.memory ?? task.memoryMiB;
  const reservation = override.memoryReservation ?? definition.memoryReservation;
  const command = override.command ?? definition.command;
  const capabilities = definition.linuxParameters?.capabilities;
  return {
    name: place.name,
    Image: place.image,
    Labels: { ...place.labels },
    Env: Object.entries(variablesOf(task, definition, place)).map(
      ([key, value]) => `${key}=${value}`,
    ),
    ...(command === undefined ? {} : { Cmd: [...command] }),
    ...(definition.entryPoint === undefined ? {} : { Entrypoint: [...definition.entryPoint] }),
    ...(definition.user === undefined ? {} : { User: definition.user }),
    ...(definition.workingDirectory === undefined
      ? {}
      : { WorkingDir: definition.workingDirectory }),
    HostConfig: {
      NetworkMode: `container:${place.networkOf}`,
      LogConfig: { Type: "json-file", Config: { "max-size": "5m", "max-file": "1" } },
      Binds: (definition.mountPoints ?? []).map(({ sourceVolume, containerPath, readOnly }) => {
        const copies = place.imageVolumes.includes(containerPath ?? "");
        const modes = [readOnly === true ? "ro" : "rw", ...(copies ? [] : ["nocopy"])];
        return `${place.volume(sourceVolume ?? "")}:${containerPath}:${modes.join(",")}`;
      }),
      Memory: memory * mebibyte,
      // Fargate has no swap.
      MemorySwap: memory * mebibyte,
      ...(reservation === undefined ? {} : { MemoryReservation: reservation * mebibyte }),
      CpuShares: Math.max(2, override.cpu ?? definition.cpu ?? 2),
      ReadonlyRootfs: definition.readonlyRootFilesystem ?? false,
      Init: definition.linuxParameters?.initProcessEnabled ?? false,
      CapAdd: [...(capabilities?.add ?? [])],
      CapDrop: [...(capabilities?.drop ?? [])],
      Ulimits: (definition.ulimits ?? []).map(({ name, softLimit, hardLimit }) => ({
        Name: name ?? "",
        Soft: softLimit ?? 0,
        Hard: hardLimit ?? 0,
      })),
    },
  };
}

function variablesOf(
  task: FakeTask,
  definition: ContainerDefinition,
  place: ContainerPlace,
): Readonly<Record<string, string>> {
  const override = overrideOf(task, definition.name ?? "");
  const named = [...(definition.environment ?? []), ...(override.environment ?? [])];
  return {
    ...place.fileVariables,
    ...Object.fromEntries(named.map(({ name, value }) => [name, value])),
    AWS_EXECUTION_ENV: "AWS_ECS_FARGATE",
    AWS_REGION: task.arn.split(":")[3] ?? "",
    AWS_DEFAULT_REGION: task.arn.split(":")[3] ?? "",
    ECS_CONTAINER_METADATA_URI_V4: place.metadataUrl,
  };
}

/** All containers have one network: what they ask of it is set where it is made. */
export function networkControls(task: FakeTask): Readonly<Record<string, string>> {
  const all = (task.definition.containerDefinitions ?? []).flatMap(
    ({ systemControls = [] }) => systemControls,
  );
  return Object.fromEntries(
    all
      .filter(({ namespace }) => namespace?.startsWith("net."))
      .map(({ namespace = "", value = "" }) => [namespace, value]),
  );
}
