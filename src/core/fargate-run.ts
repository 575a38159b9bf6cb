// A plan as the start of a task: everything that may differ between two jobs with one definition. The same launch
// gives the same request, character by character, so that one with an unknown answer may be sent again.

import type { FargatePlace } from "./fargate-place.ts";
import type { ContainerOverride, RunTaskRequest, TaskOverride } from "./fargate-task.ts";
import { refusal } from "./refusal.ts";
import type { Refusal } from "./refusal.ts";
import { safeClientToken, safeStartedBy, safeTags } from "./safe-text.ts";
import { fargateDiskGiB } from "./size.ts";
import type { ContainersPlan } from "./task-plan.ts";

export interface FargateLaunch {
  /** Hash of job and launch point: the same one twice starts one task. */
  readonly clientToken: string;
  /** The claim's id. */
  readonly startedBy: string;
  readonly capacityProvider: "FARGATE" | "FARGATE_SPOT";
  /** Of this rung. */
  readonly subnets: readonly string[];
  /** Keys in the state bucket of environment files, by the container's name. None: the container has no file. */
  readonly environmentFiles: Readonly<Record<string, string>>;
  /** For tags: the plan's labels and what the launcher adds. Not yet made safe. */
  readonly labels: Readonly<Record<string, string>>;
}

export type FargateRun = { readonly kind: "request"; readonly request: RunTaskRequest } | Refusal;

/** The most that ECS takes as overrides. */
const mostCharacters = 8192;

export function runTaskRequest(
  plan: ContainersPlan,
  family: string,
  place: FargatePlace,
  launch: FargateLaunch,
): FargateRun {
  const overrides = taskOverride(plan, place, launch);
  const characters = JSON.stringify(overrides).length;
  if (characters > mostCharacters) {
    return refusal(
      `Starting the job's ${plan.services.length + 2} containers takes ${characters} characters to say, and ECS ` +
        `takes ${mostCharacters}. Use fewer services, or shorter names for them`,
    );
  }
  return {
    kind: "request",
    request: {
      cluster: place.cluster,
      taskDefinition: family,
      clientToken: safeClientToken(launch.clientToken),
      startedBy: safeStartedBy(launch.startedBy),
      count: 1,
      platformVersion: "1.4.0",
      capacityProviderStrategy: [{ capacityProvider: launch.capacityProvider, weight: 1 }],
      networkConfiguration: {
        awsvpcConfiguration: {
          subnets: [...launch.subnets],
          securityGroups: [...place.securityGroups],
          assignPublicIp: place.assignPublicIp,
        },
      },
      overrides,
      tags: safeTags(launch.labels),
      enableECSManagedTags: true,
    },
  };
}

function taskOverride(
  plan: ContainersPlan,
  place: FargatePlace,
  launch: FargateLaunch,
): TaskOverride {
  const fileOf = (container: string) => {
    const key = launch.environmentFiles[container];
    if (key === undefined) return {};
    const value = `arn:${partitionOf(place.executionRole)}:s3:::${place.stateBucket}/${key}`;
    return { environmentFiles: [{ type: "s3", value } as const] };
  };
  const memory = memories(plan);
  const cpu = cpuShares(plan);
  const containers = [plan.agent, plan.job, ...plan.services].map(
    ({ name }, index): ContainerOverride => ({
      name,
      ...fileOf(name),
      ...cpu[index],
      ...memory[index],
    }),
  );
  return {
    cpu: String(plan.size.cpuUnits),
    memory: String(plan.size.memoryMiB),
    ...(plan.diskGiB > fargateDiskGiB.included
      ? { ephemeralStorage: { sizeInGiB: plan.diskGiB } }
      : {}),
    ...(plan.roleArn === undefined ? {} : { taskRoleArn: plan.roleArn }),
    containerOverrides: containers.filter((override) => Object.keys(override).length > 1),
  };
}

/** `aws`, `aws-cn`, `aws-us-gov`: as in any ARN of the account. */
function partitionOf(arn: string): string {
  return arn.split(":")[1] || "aws";
}

/** The least that an engine keeps for a container. */
const leastMiB = 6;

/**
 * ECS adds up what is kept for the containers, and where only a limit is said it takes that; so whoever has a limit
 * also says a small reservation, or limits that add up to more than the task has would be refused. The agent has no
 * limit of its own, but its share is kept for it: the job cannot have that.
 */
function memories(plan: ContainersPlan): readonly Omit<ContainerOverride, "name">[] {
  const others = [plan.job, ...plan.services].map(({ memoryMiB, memoryReservationMiB }) => {
    const kept = memoryReservationMiB || (memoryMiB > 0 ? leastMiB : 0);
    return {
      ...(memoryMiB > 0 ? { memory: memoryMiB } : {}),
      ...(kept > 0 && (memoryMiB === 0 || kept < memoryMiB) ? { memoryReservation: kept } : {}),
    };
  });
  const taken = others.reduce(
    (sum, { memory = 0, memoryReservation }) => sum + (memoryReservation ?? memory),
    0,
  );
  const left = Math.min(plan.agent.memoryMiB, plan.size.memoryMiB - taken);
  return [left < leastMiB ? {} : { memoryReservation: left }, ...others];
}

/**
 * Nothing said: all containers weigh the same, and each may use the whole task. Where services have a weight, they get
 * it as far as an even share allows, and the job what is left: a container without one would get next to nothing.
 */
function cpuShares(plan: ContainersPlan): readonly Omit<ContainerOverride, "name">[] {
  if (plan.services.every(({ cpuUnits }) => cpuUnits === 0)) return [];
  const total = plan.size.cpuUnits;
  const even = Math.floor(total / (plan.services.length + 2));
  const services = plan.services.map(({ cpuUnits }) => Math.min(cpuUnits || even, even));
  const agent = Math.min(even, 256);
  const job = total - agent - services.reduce((sum, units) => sum + units, 0);
  return [agent, job, ...services].map((cpu) => ({ cpu }));
}
