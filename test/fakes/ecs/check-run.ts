// What RunTask refuses before anything is started.

import type { RunTaskCommandInput, TaskOverride } from "@aws-sdk/client-ecs";
import { checkSize, checkSums } from "./check-definition.ts";
import type { Definition } from "./definitions.ts";
import { overrideCharacters } from "./limits.ts";
import { badParameter, clientError } from "./refusal.ts";

/** Tokens, labels and choices: all that needs no definition. */
export function checkRequest(input: RunTaskCommandInput, providers: readonly string[]): void {
  if (!/^[\u0021-\u007e]{1,64}$/.test(input.clientToken ?? "x")) {
    throw badParameter("clientToken must be 1 to 64 characters of ASCII 33 to 126.");
  }
  if (!/^[A-Za-z0-9/_-]{0,128}$/.test(input.startedBy ?? "")) {
    throw badParameter("startedBy may hold 128 letters, digits, hyphens, slashes and underscores.");
  }
  if ((input.count ?? 1) < 1 || (input.count ?? 1) > 10) {
    throw badParameter("Count should be between 1 and 10.");
  }
  if (!["1.4.0", "LATEST", undefined].includes(input.platformVersion)) {
    throw badParameter(`The platform version '${input.platformVersion}' is not known.`);
  }
  checkCapacity(input, providers);
  checkNetwork(input);
  checkTags(input);
}

function checkCapacity(input: RunTaskCommandInput, providers: readonly string[]): void {
  const strategy = input.capacityProviderStrategy ?? [];
  if (strategy.length > 0 && input.launchType !== undefined) {
    throw badParameter(
      "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
    );
  }
  if (strategy.length === 0 && input.launchType !== "FARGATE") {
    throw clientError("No Container Instances were found in your cluster.");
  }
  for (const { capacityProvider } of strategy) {
    if (!providers.includes(capacityProvider ?? "")) {
      throw badParameter(
        `The specified capacity provider '${capacityProvider}' was not found in the cluster.`,
      );
    }
  }
  if (strategy.length > 0 && strategy.every(({ weight }) => (weight ?? 0) === 0)) {
    throw badParameter(
      "The specified capacity provider strategy must contain at least one provider with a weight above 0.",
    );
  }
  if (strategy.length > 20) throw badParameter("A strategy has 20 capacity providers at most.");
}

function checkNetwork({ networkConfiguration }: RunTaskCommandInput): void {
  const network = networkConfiguration?.awsvpcConfiguration;
  if (network === undefined) {
    throw badParameter(
      "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
    );
  }
  const { subnets = [], securityGroups = [] } = network;
  if (subnets.length === 0) throw badParameter("subnets can not be empty.");
  if (subnets.length > 16) throw badParameter("subnets can have at most 16 items.");
  if (securityGroups.length > 5) throw badParameter("securityGroups can have at most 5 items.");
  for (const id of subnets) {
    if (!id.startsWith("subnet-")) throw badParameter(`Invalid subnet ID: ${id}`);
  }
  for (const id of securityGroups) {
    if (!id.startsWith("sg-")) throw badParameter(`Invalid security group ID: ${id}`);
  }
}

function checkTags({ tags = [] }: RunTaskCommandInput): void {
  if (tags.length > 50) throw badParameter("A task has 50 tags at most.");
  const keys = tags.map(({ key }) => key ?? "");
  if (new Set(keys).size < keys.length) throw badParameter("Duplicate tag keys found.");
  const legal = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
  for (const { key = "", value = "" } of tags) {
    if (key === "" || key.length > 128) throw badParameter("A tag's key has 1 to 128 characters.");
    if (value.length > 256) throw badParameter("A tag's value has 256 characters at most.");
    if (/^aws:/i.test(key)) throw badParameter("Tag keys that begin with aws: are reserved.");
    if (!legal.test(key) || !legal.test(value)) {
      throw badParameter(
        `The tag '${key}' has characters that are not letters, digits, spaces or one of _.:/=+-@`,
      );
    }
  }
}

const taskFields = [
  "containerOverrides",
  "cpu",
  "memory",
  "ephemeralStorage",
  "taskRoleArn",
  "executionRoleArn",
  "inferenceAcceleratorOverrides",
];
const containerFields = [
  "name",
  "command",
  "environment",
  "environmentFiles",
  "cpu",
  "memory",
  "memoryReservation",
  "resourceRequirements",
];

/** Gives the size that the task will have. */
export function checkOverrides(
  overrides: TaskOverride,
  definition: Definition,
): { readonly cpuUnits: number; readonly memoryMiB: number } {
  if (JSON.stringify(overrides).length > overrideCharacters) {
    throw badParameter(`Container Overrides length must be at most ${overrideCharacters}`);
  }
  onlyFields(overrides, taskFields);
  for (const container of overrides.containerOverrides ?? []) {
    onlyFields(container, containerFields);
    const known = definition.containerDefinitions ?? [];
    if (!known.some(({ name }) => name === container.name)) {
      throw badParameter(
        `Override for container named ${container.name} is not a container in the TaskDefinition.`,
      );
    }
    for (const { type, value = "" } of container.environmentFiles ?? []) {
      if (type !== "s3" || !/^arn:aws[\w-]*:s3:::[^/]+\/.+\.env$/.test(value)) {
        throw badParameter(`environmentFiles: '${value}' is not the ARN of an .env file in S3.`);
      }
    }
  }
  const disk = overrides.ephemeralStorage?.sizeInGiB;
  if (disk !== undefined && (disk < 21 || disk > 200)) {
    throw badParameter("EphemeralStorage size should be between 21 and 200 GiB.");
  }
  const cpu = overrides.cpu ?? definition.cpu ?? "";
  const memory = overrides.memory ?? definition.memory ?? "";
  checkSize(cpu, memory);
  checkSums({
    cpu,
    memory,
    containerDefinitions: (definition.containerDefinitions ?? []).map((container) => {
      const override = overrides.containerOverrides?.find(({ name }) => name === container.name);
      return {
        ...container,
        cpu: override?.cpu ?? container.cpu,
        memory: override?.memory ?? container.memory,
        memoryReservation: override?.memoryReservation ?? container.memoryReservation,
      };
    }),
  });
  return { cpuUnits: Number(cpu), memoryMiB: Number(memory) };
}

function onlyFields(value: object, fields: readonly string[]): void {
  const odd = Object.keys(value).find((key) => !fields.includes(key));
  if (odd !== undefined) throw badParameter(`overrides: '${odd}' cannot be overridden.`);
}
