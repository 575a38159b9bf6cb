// A plan as a task definition of ECS. Images, entrypoints and logins cannot be overridden when a task is started, so
// each distinct set of them is a definition, named by the hash of what is in it: the next job that needs the same
// finds it registered. Sizes, disk, roles and environment files are said at the start (fargate-run.ts).

import { taskFolders } from "./fargate-place.ts";
import type { FargatePlace } from "./fargate-place.ts";
import { ulimitNames } from "./fargate-task.ts";
import type { ContainerDefinition, TaskDefinition } from "./fargate-task.ts";
import { readReference } from "./image-reference.ts";
import { tooLong } from "./image-unrunnable.ts";
import type { ContainerOptions } from "./plan-options.ts";
import { refusal } from "./refusal.ts";
import type { Refusal } from "./refusal.ts";
import { safeName } from "./safe-text.ts";
import type { ContainerPlan, ContainersPlan, ServicePlan } from "./task-plan.ts";

export interface DefinitionParts {
  /** Text of boot.sh, which the job's image runs. */
  readonly bootScript: string;
  /** ARN of the secret with the login for its image, by the container's name. */
  readonly loginSecrets: Readonly<Record<string, string>>;
  readonly sha256Hex: (text: string) => string;
}

export type FargateDefinition =
  | { readonly kind: "definition"; readonly definition: TaskDefinition }
  | Refusal;

/** The most that ECS takes as one definition. */
const mostBytes = 64 * 1024;

export function fargateDefinition(
  plan: ContainersPlan,
  place: FargatePlace,
  parts: DefinitionParts,
): FargateDefinition {
  const architecture = plan.architecture ?? "x86_64";
  const agentImage = place.agentImages[architecture];
  if (agentImage === undefined) {
    return refusal(
      `This runner's stack has no image of the agent for ${architecture}: deploy it with one, ` +
        "or have the job run on the other architecture by BURST_ARCH",
    );
  }
  const obstacle = agentObstacle(agentImage) ?? plan.services.map(serviceObstacle).find(Boolean);
  if (obstacle !== undefined) return refusal(obstacle);
  const content = {
    networkMode: "awsvpc",
    requiresCompatibilities: ["FARGATE"],
    // The smallest pair: each task is given its own size when it is started.
    cpu: "256",
    memory: "512",
    executionRoleArn: place.executionRole,
    runtimePlatform: {
      cpuArchitecture: architecture === "arm64" ? "ARM64" : "X86_64",
      operatingSystemFamily: "LINUX",
    },
    volumes: [{ name: "control" }, { name: "builds" }],
    containerDefinitions: [
      agentContainer(plan, place, agentImage),
      jobContainer(plan, parts),
      ...plan.services.map((service) => serviceContainer(plan, service, place, parts)),
    ],
  } as const satisfies Omit<TaskDefinition, "family">;
  const text = JSON.stringify(content);
  const definition = {
    family: safeName(`${place.namePrefix}-${parts.sha256Hex(text).slice(0, 32)}`),
    ...content,
  };
  const bytes = new TextEncoder().encode(JSON.stringify(definition)).length;
  if (bytes > mostBytes) {
    return refusal(
      `The job's containers take ${bytes} bytes to describe (images, entrypoints and commands of the job and its ` +
        `services), and ECS takes ${mostBytes}. Use fewer services or shorter commands; long ones fit into an image`,
    );
  }
  return { kind: "definition", definition };
}

function agentObstacle(image: string): string | undefined {
  const read = readReference(image);
  const obstacle = read.kind === "reference" ? tooLong(read.reference) : undefined;
  return obstacle === undefined ? undefined : `The agent's image ${obstacle}`;
}

/** ECS has no word for "neither the image's entrypoint nor a command". */
function serviceObstacle(service: ServicePlan): string | undefined {
  const { entrypoint, command, requestedImage } = service;
  if (entrypoint?.length !== 0 || command !== undefined) return undefined;
  return (
    `The service ${requestedImage} has an empty entrypoint and no command, so nothing would run in it: ` +
    "give it a command, or leave the entrypoint out"
  );
}

/** Only the agent is essential: it lives as long as there is anything to tell, and its end ends the task. */
function agentContainer(
  plan: ContainersPlan,
  place: FargatePlace,
  image: string,
): ContainerDefinition {
  return {
    name: plan.agent.name,
    image,
    essential: true,
    // All that Fargate has: time to save what is to be kept when Spot takes the task back.
    stopTimeout: 120,
    versionConsistency: "disabled",
    mountPoints: mounts("control", "builds"),
    logConfiguration: logs(place),
    // One network is shared by all: the last who sets such a key wins, so one says it for all.
    ...systemControls(plan.options, (name) => name.startsWith("net.")),
  };
}

function jobContainer(plan: ContainersPlan, parts: DefinitionParts): ContainerDefinition {
  const boot = [parts.bootScript, "burst-boot"];
  return {
    ...everyContainer(plan, plan.job, parts),
    ...(plan.job.entrypoint?.length === 0
      ? { entryPoint: ["sh", "-c"], command: boot }
      : { command: ["sh", "-c", ...boot] }),
    environment: [{ name: "BURST_CONTROL", value: taskFolders.control }],
    mountPoints: mounts("control", "builds"),
  };
}

function serviceContainer(
  plan: ContainersPlan,
  service: ServicePlan,
  place: FargatePlace,
  parts: DefinitionParts,
): ContainerDefinition {
  const [first, ...rest] = service.command ?? [];
  const bare = service.entrypoint?.length === 0 && first !== undefined;
  const command = bare ? rest : service.command;
  return {
    ...everyContainer(plan, service, parts),
    ...(bare ? { entryPoint: [first] } : {}),
    ...(command === undefined || command.length === 0 ? {} : { command: [...command] }),
    mountPoints: mounts("builds"),
    ...(plan.debugServices ? { logConfiguration: logs(place) } : {}),
  };
}

/** What the job's container and those of its services have alike. An empty entrypoint is not said here. */
function everyContainer(plan: ContainersPlan, container: ContainerPlan, parts: DefinitionParts) {
  const { options } = plan;
  const secret = parts.loginSecrets[container.name];
  return {
    name: container.name,
    image: container.image,
    essential: false,
    stopTimeout: 2,
    // A tag means what it names when the job starts, not what it named when the definition was made.
    versionConsistency: "disabled",
    ...(container.entrypoint === undefined || container.entrypoint.length === 0
      ? {}
      : { entryPoint: [...container.entrypoint] }),
    ...(container.user === "" ? {} : { user: container.user }),
    ...(secret === undefined ? {} : { repositoryCredentials: { credentialsParameter: secret } }),
    ...systemControls(options, (name) => !name.startsWith("net.")),
    ...ulimits(options),
    ...capabilities(options),
  } as const satisfies Partial<ContainerDefinition>;
}

function mounts(...volumes: readonly ("control" | "builds")[]) {
  return volumes.map((name) => ({
    sourceVolume: name,
    containerPath: taskFolders[name],
    readOnly: false,
  }));
}

/**
 * A copy of what goes to GitLab. The mode is said, as accounts differ in which is theirs. Not `blocking`: where
 * CloudWatch is slow or out of reach, the agent would stand still at its next line, and the job's log on GitLab with
 * it. What the buffer cannot hold is missing from the copy only.
 */
function logs(place: FargatePlace) {
  return {
    logDriver: "awslogs",
    options: {
      "awslogs-group": place.logGroup,
      "awslogs-region": place.region,
      "awslogs-stream-prefix": place.runner,
      mode: "non-blocking",
      "max-buffer-size": "25m",
    },
  } as const;
}

function systemControls(options: ContainerOptions, wanted: (name: string) => boolean) {
  const controls = Object.entries(options.sysctls)
    .filter(([name]) => wanted(name))
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([namespace, value]) => ({ namespace, value }));
  return controls.length === 0 ? {} : { systemControls: controls };
}

/** A plan for Fargate has no others than ECS knows. */
function ulimits(options: ContainerOptions) {
  const limits = options.ulimits.flatMap(({ name, soft, hard }) => {
    const known = ulimitNames.find((one) => one === name);
    return known === undefined ? [] : [{ name: known, softLimit: soft, hardLimit: hard }];
  });
  return limits.length === 0 ? {} : { ulimits: limits };
}

function capabilities({ capAdd, capDrop }: ContainerOptions) {
  if (capAdd.length === 0 && capDrop.length === 0) return {};
  return {
    linuxParameters: {
      capabilities: {
        ...(capAdd.length === 0 ? {} : { add: capAdd.map(capabilityName) }),
        ...(capDrop.length === 0 ? {} : { drop: capDrop.map(capabilityName) }),
      },
    },
  };
}

/** ECS wants them without `CAP_`, in capitals. */
function capabilityName(name: string): string {
  return name.toUpperCase().replace(/^CAP_/, "");
}
