// RunTask: idempotent by its token, throttled, and refused where there is no capacity, quota or address.

import { createHash } from "node:crypto";
import type { RunTaskCommandInput } from "@aws-sdk/client-ecs";
import type { Clock } from "../clock.ts";
import type { Buckets } from "./bucket.ts";
import { checkOverrides, checkRequest } from "./check-run.ts";
import type { Definition, Definitions } from "./definitions.ts";
import { stepsOf } from "./life.ts";
import type { LifeParts } from "./life.ts";
import { EcsRefusal } from "./refusal.ts";
import { describedTask } from "./task.ts";
import type { FakeTask } from "./task.ts";

export interface Launch {
  readonly capacityProvider: string;
  readonly subnets: readonly string[];
  readonly cpuUnits: number;
  readonly startedBy: string;
}

/** "no-address" lets the task be created: it fails when it is to get its network interface. */
export type Shortage = "capacity" | "quota" | "no-address";

export interface RunParts {
  readonly life: LifeParts;
  readonly definitions: Definitions;
  readonly buckets: Buckets;
  readonly tasks: Map<string, FakeTask>;
  readonly clock: Clock;
  readonly arnPrefix: string;
  readonly cluster: string;
  readonly clusterArn: string;
  readonly vcpuQuota: Readonly<Record<string, number>>;
}

const noCapacity =
  "Capacity is unavailable at this time. Please try again later or in a different availability zone";
const overQuota = "You’ve reached the limit on the number of vCPUs you can run concurrently";
const dayMs = 24 * 60 * 60_000;
const hourMs = 60 * 60_000;

interface Taken {
  readonly parameters: string;
  readonly arns: readonly string[];
  readonly at: number;
}

export function createRuns(parts: RunParts) {
  const { tasks, clock } = parts;
  const tokens = new Map<string, Taken>();
  const launchTimes: number[] = [];
  let shortage: (launch: Launch) => Shortage | undefined = () => undefined;
  let made = 0;

  const usedVcpu = (provider: string) => {
    let units = 0;
    for (const task of tasks.values()) {
      if (task.capacityProvider === provider && task.lastStatus !== "STOPPED") {
        units += task.cpuUnits;
      }
    }
    return units / 1024;
  };
  /** Until a day is over, or the task for an hour. */
  const remembered = (token: string): Taken | undefined => {
    const taken = tokens.get(token);
    if (taken === undefined || clock.now() - taken.at >= dayMs) return undefined;
    const gone = taken.arns.every((arn) => {
      const stoppedAt = tasks.get(arn)?.stoppedAt;
      return stoppedAt !== undefined && clock.now() - stoppedAt >= hourMs;
    });
    return gone ? undefined : taken;
  };
  const repeat = (input: RunTaskCommandInput) => {
    const taken = input.clientToken === undefined ? undefined : remembered(input.clientToken);
    if (taken === undefined) return undefined;
    if (taken.parameters !== parametersOf(input)) {
      throw new EcsRefusal(
        "ConflictException",
        "The client token was used before with other parameters.",
        { resourceIds: taken.arns },
      );
    }
    return taken.arns.map((arn) => tasks.get(arn)).filter((task) => task !== undefined);
  };

  return {
    launchTimes: launchTimes as readonly number[],
    setShortage(asked: (launch: Launch) => Shortage | undefined) {
      shortage = asked;
    },
    run(input: RunTaskCommandInput): unknown {
      if (input.cluster !== parts.cluster && input.cluster !== parts.clusterArn) {
        throw new EcsRefusal("ClusterNotFoundException", "Cluster not found.");
      }
      checkRequest(input, Object.keys(parts.vcpuQuota));
      const before = repeat(input);
      if (before !== undefined) {
        return { tasks: before.map((task) => describedTask(task, true)), failures: [] };
      }
      const definition = parts.definitions.usable(input.taskDefinition ?? "");
      const { cpuUnits, memoryMiB } = checkOverrides(input.overrides ?? {}, definition);
      const strategy = (input.capacityProviderStrategy ?? []).filter(({ weight }) => weight);
      const capacityProvider = strategy[0]?.capacityProvider ?? "FARGATE";
      parts.buckets.take(`launch/${capacityProvider}`);
      const launch: Launch = {
        capacityProvider,
        subnets: input.networkConfiguration?.awsvpcConfiguration?.subnets ?? [],
        cpuUnits,
        startedBy: input.startedBy ?? "",
      };
      const missing = shortage(launch);
      const quota = parts.vcpuQuota[capacityProvider] ?? 0;
      const over = usedVcpu(capacityProvider) + cpuUnits / 1024 > quota;
      if (missing === "quota" || over) return { tasks: [], failures: [{ reason: overQuota }] };
      if (missing === "capacity") return { tasks: [], failures: [{ reason: noCapacity }] };

      const size = { cpuUnits, memoryMiB };
      const task = newTask(parts, input, definition, { capacityProvider, ...size }, made++);
      tasks.set(task.arn, task);
      launchTimes.push(task.createdAt);
      if (input.clientToken !== undefined) {
        const parameters = parametersOf(input);
        tokens.set(input.clientToken, { parameters, arns: [task.arn], at: clock.now() });
      }
      const answer = { tasks: [describedTask(task, true)], failures: [] };
      // After the answer, as on AWS.
      clock.after(0, () => {
        parts.life.changed(task);
        const steps = stepsOf(parts.life, task);
        if (missing === "no-address") return steps.failedToStart(noAddress(launch));
        if (task.lastStatus !== "STOPPED") parts.life.backEnd.launch(steps);
      });
      return answer;
    },
  };
}

function noAddress({ subnets }: Launch): string {
  return `Unexpected EC2 error while attempting to Create Network Interface in subnet '${subnets[0]}': InsufficientFreeAddressesInSubnet`;
}

function parametersOf(input: RunTaskCommandInput): string {
  return JSON.stringify({ ...input, clientToken: "" }, (_key, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

function newTask(
  parts: RunParts,
  request: RunTaskCommandInput,
  definition: Definition,
  size: {
    readonly capacityProvider: string;
    readonly cpuUnits: number;
    readonly memoryMiB: number;
  },
  number: number,
): FakeTask {
  const id = createHash("sha256").update(`task ${number}`).digest("hex").slice(0, 32);
  const createdAt = parts.clock.now();
  return {
    arn: `${parts.arnPrefix}:task/${parts.cluster}/${id}`,
    id,
    clusterArn: parts.clusterArn,
    definition,
    request: structuredClone(request),
    ...size,
    createdAt,
    lastStatus: "PROVISIONING",
    desiredStatus: "RUNNING",
    stopCode: undefined,
    stoppedReason: undefined,
    pullStartedAt: undefined,
    pullStoppedAt: undefined,
    startedAt: undefined,
    stoppingAt: undefined,
    executionStoppedAt: undefined,
    stoppedAt: undefined,
    updatedAt: createdAt,
    version: 1,
    containers: (definition.containerDefinitions ?? []).map((container, index) => ({
      name: container.name ?? "",
      essential: container.essential !== false,
      image: container.image ?? "",
      arn: `${parts.arnPrefix}:container/${parts.cluster}/${id}/${index}`,
      runtimeId: `${id}-${String(index).padStart(10, "0")}`,
      lastStatus: "PENDING" as const,
      exitCode: undefined,
      reason: undefined,
      imageDigest: undefined,
    })),
  };
}
