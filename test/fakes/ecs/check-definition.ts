// What RegisterTaskDefinition refuses for a task on Fargate, with Linux and platform version 1.4.0.

import type { ContainerDefinition, RegisterTaskDefinitionCommandInput } from "@aws-sdk/client-ecs";
import {
  containersPerTask,
  definitionBytes,
  imageCharacters,
  isFargateCpu,
  isFargateSize,
} from "./limits.ts";
import { clientError } from "./refusal.ts";

const namePattern = /^[A-Za-z0-9_-]{1,255}$/;

export function checkDefinition(input: RegisterTaskDefinitionCommandInput): void {
  const containers = input.containerDefinitions ?? [];
  if (!namePattern.test(input.family ?? "")) {
    throw clientError("Family contains invalid characters when compared to the pattern.");
  }
  const bytes = Buffer.byteLength(JSON.stringify(input));
  if (bytes > definitionBytes) {
    throw clientError(
      `Actual length: '${bytes}'. Max allowed length is '${definitionBytes}' bytes.`,
    );
  }
  if (containers.length === 0) throw clientError("Container list cannot be empty.");
  if (containers.length > containersPerTask) {
    throw clientError(
      `Too many containers: ${containers.length}, at most ${containersPerTask} in a task definition.`,
    );
  }
  if (!(input.requiresCompatibilities ?? []).includes("FARGATE")) {
    throw clientError("this fake knows Fargate only: requiresCompatibilities has no FARGATE");
  }
  checkTask(input);
  const names = containers.map(({ name }) => name ?? "");
  if (new Set(names).size < names.length) {
    throw clientError("Container names must be unique within a task definition.");
  }
  if (!containers.some(({ essential }) => essential !== false)) {
    throw clientError("At least one container in a task definition must be essential.");
  }
  for (const container of containers) checkContainer(container, input);
  checkSums(input);
}

function checkTask(input: RegisterTaskDefinitionCommandInput): void {
  if (input.cpu === undefined || input.memory === undefined) {
    throw clientError("Fargate requires that 'cpu' and 'memory' be defined at the task level.");
  }
  checkSize(input.cpu, input.memory);
  if (input.networkMode !== "awsvpc") {
    throw clientError("Fargate only supports network mode ‘awsvpc’.");
  }
  if (input.ipcMode !== undefined) throw clientError("Fargate does not support ipcMode.");
  if (input.pidMode !== undefined && input.pidMode !== "task") {
    throw clientError("Fargate supports pidMode 'task' only.");
  }
  if ((input.placementConstraints ?? []).length > 0) {
    throw clientError("Placement constraints are not supported with Fargate.");
  }
  for (const volume of input.volumes ?? []) {
    if (volume.host?.sourcePath !== undefined) {
      throw clientError("host.sourcePath should not be set for volumes in Fargate.");
    }
    if (volume.dockerVolumeConfiguration !== undefined) {
      throw clientError("Fargate does not support dockerVolumeConfiguration.");
    }
  }
  const disk = input.ephemeralStorage?.sizeInGiB;
  if (disk !== undefined && (disk < 21 || disk > 200)) {
    throw clientError("EphemeralStorage size should be between 21 and 200 GiB.");
  }
  const needsRole = (input.containerDefinitions ?? []).some(
    (container) =>
      container.logConfiguration?.logDriver === "awslogs" ||
      container.repositoryCredentials !== undefined ||
      (container.secrets ?? []).length > 0 ||
      (container.environmentFiles ?? []).length > 0,
  );
  if (needsRole && (input.executionRoleArn ?? "") === "") {
    throw clientError(
      "Fargate requires task definition to have execution role ARN to support log driver awslogs.",
    );
  }
}

export function checkSize(cpu: string, memory: string): void {
  const cpuUnits = Number(cpu);
  if (!/^\d+$/.test(cpu) || !isFargateCpu(cpuUnits)) {
    throw clientError(
      "Invalid 'cpu' setting for task. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.",
    );
  }
  if (!/^\d+$/.test(memory) || !isFargateSize(cpuUnits, Number(memory))) {
    throw clientError(
      `No Fargate configuration exists for given values: ${cpu} CPU, ${memory} memory. See the Amazon ECS documentation for the valid values.`,
    );
  }
}

/** The fields that Fargate has no use for; each with what makes it matter. */
const notOnFargate: Readonly<Record<string, (container: ContainerDefinition) => boolean>> = {
  privileged: ({ privileged }) => privileged === true,
  extraHosts: ({ extraHosts }) => (extraHosts ?? []).length > 0,
  dnsServers: ({ dnsServers }) => (dnsServers ?? []).length > 0,
  dnsSearchDomains: ({ dnsSearchDomains }) => (dnsSearchDomains ?? []).length > 0,
  links: ({ links }) => (links ?? []).length > 0,
  disableNetworking: ({ disableNetworking }) => disableNetworking === true,
  dockerSecurityOptions: ({ dockerSecurityOptions }) => (dockerSecurityOptions ?? []).length > 0,
  hostname: ({ hostname }) => hostname !== undefined,
  "linuxParameters.devices": ({ linuxParameters }) => (linuxParameters?.devices ?? []).length > 0,
  "linuxParameters.sharedMemorySize": ({ linuxParameters }) =>
    linuxParameters?.sharedMemorySize !== undefined,
  "linuxParameters.tmpfs": ({ linuxParameters }) => (linuxParameters?.tmpfs ?? []).length > 0,
  "linuxParameters.maxSwap": ({ linuxParameters }) => linuxParameters?.maxSwap !== undefined,
  "linuxParameters.swappiness": ({ linuxParameters }) => linuxParameters?.swappiness !== undefined,
  resourceRequirements: ({ resourceRequirements }) => (resourceRequirements ?? []).length > 0,
};

function checkContainer(
  container: ContainerDefinition,
  input: RegisterTaskDefinitionCommandInput,
): void {
  const { name = "", image = "" } = container;
  const wrong = (message: string) =>
    clientError(`Invalid setting for container '${name}'. ${message}`);
  if (!namePattern.test(name)) throw wrong("The name may hold letters, digits, - and _ only.");
  if (image === "") throw wrong("'image' must be specified.");
  if ((image.split("@")[0] ?? "").length > imageCharacters) {
    throw wrong(`'image' is longer than ${imageCharacters} characters.`);
  }
  for (const [field, isSet] of Object.entries(notOnFargate)) {
    if (isSet(container)) throw wrong(`'${field}' is not supported on Fargate.`);
  }
  const added = container.linuxParameters?.capabilities?.add ?? [];
  if (added.some((capability) => capability !== "SYS_PTRACE")) {
    throw wrong("Fargate lets SYS_PTRACE be added, and no other capability.");
  }
  for (const seconds of [container.stopTimeout, container.startTimeout]) {
    if (seconds !== undefined && (seconds < 2 || seconds > 120)) {
      throw wrong("startTimeout and stopTimeout must be from 2 to 120 seconds.");
    }
  }
  const volumes = (input.volumes ?? []).map((volume) => volume.name);
  for (const { sourceVolume } of container.mountPoints ?? []) {
    if (!volumes.includes(sourceVolume)) {
      throw wrong(`Unknown volume '${sourceVolume ?? ""}'.`);
    }
  }
  const known = (input.containerDefinitions ?? []).map((other) => other.name);
  for (const { containerName } of container.dependsOn ?? []) {
    if (!known.includes(containerName)) {
      throw wrong(`dependsOn names an unknown container '${containerName ?? ""}'.`);
    }
  }
  checkLogs(container, wrong);
  checkSystemControls(container, wrong);
}

function checkLogs(container: ContainerDefinition, wrong: (message: string) => Error): void {
  const logs = container.logConfiguration;
  if (logs === undefined) return;
  if (!["awslogs", "splunk", "awsfirelens"].includes(logs.logDriver ?? "")) {
    throw wrong(`Log driver '${logs.logDriver ?? ""}' is not supported on Fargate.`);
  }
  if (logs.logDriver !== "awslogs") return;
  for (const option of ["awslogs-group", "awslogs-region", "awslogs-stream-prefix"]) {
    if (!logs.options?.[option]) throw wrong(`Log driver awslogs requires option ${option}.`);
  }
}

function checkSystemControls(
  container: ContainerDefinition,
  wrong: (message: string) => Error,
): void {
  for (const { namespace = "" } of container.systemControls ?? []) {
    if (!/^(net\.|kernel\.(msg|sem|shm)|fs\.mqueue\.)/.test(namespace)) {
      throw wrong(`systemControls: '${namespace}' is neither a network nor an IPC setting.`);
    }
  }
  for (const { softLimit = 0, hardLimit = 0 } of container.ulimits ?? []) {
    if (softLimit > hardLimit) throw wrong("ulimits: the soft limit is above the hard one.");
  }
}

/** The containers share what the task has. */
export function checkSums(task: {
  readonly cpu?: string | undefined;
  readonly memory?: string | undefined;
  readonly containerDefinitions?: readonly ContainerDefinition[] | undefined;
}): void {
  const containers = task.containerDefinitions ?? [];
  const cpu = sum(containers.map((container) => container.cpu ?? 0));
  if (cpu > Number(task.cpu)) {
    throw clientError("The sum of the containers' 'cpu' is above the task's.");
  }
  for (const { name, memory, memoryReservation } of containers) {
    if (memory !== undefined && memory > Number(task.memory)) {
      throw clientError(`Invalid setting for container '${name}'. 'memory' is above the task's.`);
    }
    if (memory !== undefined && memory < 4) {
      throw clientError(`Invalid setting for container '${name}'. 'memory' must be at least 4.`);
    }
    if (memoryReservation !== undefined && memory !== undefined && memoryReservation >= memory) {
      throw clientError(
        `Invalid setting for container '${name}'. 'memoryReservation' must be below 'memory'.`,
      );
    }
  }
  const reserved = sum(
    containers.map(({ memory, memoryReservation }) => memoryReservation ?? memory ?? 0),
  );
  if (reserved > Number(task.memory)) {
    throw clientError("The memory reserved for all containers is above the task's 'memory'.");
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
