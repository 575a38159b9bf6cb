// How a job shapes its own task: BURST_CPU, BURST_MEMORY, BURST_DISK, BURST_ARCH, BURST_CAPACITY and
// BURST_RERUN_ON_LOSS, within what the runner's settings allow. Whatever is asked and cannot be had is
// refused in a sentence, never silently made smaller.

import { parseBool } from "./go-bool.ts";
import type { ContainerExecutor } from "./image-unrunnable.ts";
import { refusal } from "./refusal.ts";
import type { Refusal } from "./refusal.ts";
import type { Architecture, BurstVariable, Capacity } from "./settings-task.ts";
import { burstVariables } from "./settings-task.ts";
import type { Settings } from "./settings.ts";
import {
  cpuForms,
  cpuText,
  fargateDiskGiB,
  fargateSize,
  largestFargateSize,
  memoryForms,
  parseCpuUnits,
  parseMemoryMiB,
  sizeText,
} from "./size.ts";
import type { Size } from "./size.ts";

export interface BurstContext {
  readonly executor: ContainerExecutor;
  readonly settings: Settings;
  /** A variable of the job, expanded; "" where there is none. */
  readonly get: (key: string) => string;
}

export interface TaskShape {
  readonly kind: "shape";
  /** On Fargate a legal pair, elsewhere what was asked for. */
  readonly size: Size;
  readonly diskGiB: number;
  /** What the job itself asks for; undefined where it leaves that to the settings. */
  readonly architecture: Architecture | undefined;
  readonly capacity: Capacity;
  readonly rerunOnLoss: boolean;
}

export function shapeTask(context: BurstContext): TaskShape | Refusal {
  const { settings } = context;
  const forbidden = burstVariables.find(
    (name) => context.get(name) !== "" && !settings.allowed_burst_variables.includes(name),
  );
  if (forbidden !== undefined) {
    const allowed = settings.allowed_burst_variables.join(", ") || "none";
    return refusal(
      `This runner does not let jobs set ${forbidden} (it allows ${allowed}). Remove the variable, ` +
        "or have allowed_burst_variables in the runner's settings widened",
    );
  }
  const cpuUnits = read(context, "BURST_CPU", cpuForms, parseCpuUnits);
  const memoryMiB = read(context, "BURST_MEMORY", memoryForms, parseMemoryMiB);
  const diskGiB = read(context, "BURST_DISK", 'GB such as "40"', parseGigabytes);
  const architecture = read(context, "BURST_ARCH", "x86_64 or arm64", parseArchitecture);
  const capacity = read(context, "BURST_CAPACITY", "on-demand or spot", parseCapacity);
  const rerun = read(context, "BURST_RERUN_ON_LOSS", "true or false", parseBool);
  for (const reading of [cpuUnits, memoryMiB, diskGiB, architecture, capacity, rerun]) {
    if (reading.kind === "refusal") return reading;
  }
  const size = chooseSize(
    {
      cpuUnits: valueOf(cpuUnits) ?? settings.sizes.default.cpuUnits,
      memoryMiB: valueOf(memoryMiB) ?? settings.sizes.default.memoryMiB,
    },
    context,
  );
  if (size.kind === "refusal") return size;
  const disk = valueOf(diskGiB) ?? settings.disk.default;
  if (disk > settings.disk.maximum) {
    return refusal(
      `BURST_DISK asks for ${disk} GB of disk, and this runner allows ${settings.disk.maximum} GB. ` +
        "Ask for less, or have disk.maximum in the runner's settings raised",
    );
  }
  return {
    kind: "shape",
    size: size.size,
    diskGiB: Math.max(disk, fargateDiskGiB.included),
    architecture: valueOf(architecture),
    capacity: valueOf(capacity) ?? settings.capacity,
    rerunOnLoss: valueOf(rerun) ?? settings.rerun_on_loss,
  };
}

type Reading<T> = { readonly kind: "value"; readonly value: T | undefined } | Refusal;

function read<T>(
  context: BurstContext,
  name: BurstVariable,
  forms: string,
  parse: (text: string) => T | undefined,
): Reading<T> {
  const text = context.get(name).trim();
  if (text === "") return { kind: "value", value: undefined };
  const value = parse(text);
  if (value !== undefined) return { kind: "value", value };
  return refusal(
    `${name} is ${JSON.stringify(text.slice(0, 40))}, which cannot be read: write ${forms}`,
  );
}

function valueOf<T>(reading: Reading<T>): T | undefined {
  return reading.kind === "value" ? reading.value : undefined;
}

function chooseSize(
  wish: Size,
  { executor, settings }: BurstContext,
): { readonly kind: "size"; readonly size: Size } | Refusal {
  const size = executor === "fargate" ? fargateSize(wish) : wish;
  if (size === undefined) {
    return refusal(
      `The job asks for ${sizeText(wish)}, which Fargate does not have: its largest task has ` +
        `${sizeText(largestFargateSize)}. Ask for less by BURST_CPU and BURST_MEMORY`,
    );
  }
  const { maximum } = settings.sizes;
  if (size.cpuUnits > maximum.cpuUnits || size.memoryMiB > maximum.memoryMiB) {
    const rounded = sizeText(size) === sizeText(wish) ? "" : ` (on Fargate ${sizeText(size)})`;
    return refusal(
      `The job asks for ${sizeText(wish)}${rounded}, and this runner allows ${sizeText(maximum)}. ` +
        "Ask for less by BURST_CPU and BURST_MEMORY, or have sizes.maximum in the runner's settings raised",
    );
  }
  const budget = settings.vcpu_budget;
  if (executor === "fargate" && budget > 0 && size.cpuUnits > budget * 1024) {
    return refusal(
      `The job asks for ${cpuText(size.cpuUnits)}, and all jobs of this runner together may use ${budget}: ` +
        "it could never start. Ask for less by BURST_CPU, or have vcpu_budget in the runner's settings raised",
    );
  }
  return { kind: "size", size };
}

function parseGigabytes(text: string): number | undefined {
  const amount = Number(/^(\d+)\s*(?:g|gb|gib)?$/i.exec(text)?.[1]);
  return amount > 0 ? amount : undefined;
}

export function parseArchitecture(text: string): Architecture | undefined {
  switch (text.toLowerCase()) {
    case "x86_64":
    case "x86-64":
    case "x64":
    case "amd64":
      return "x86_64";
    case "arm64":
    case "aarch64":
      return "arm64";
    default:
      return undefined;
  }
}

function parseCapacity(text: string): Capacity | undefined {
  const word = text.toLowerCase().replaceAll(/[-_ ]/g, "");
  if (word === "spot" || word === "fargatespot") return "spot";
  return word === "ondemand" || word === "fargate" ? "on-demand" : undefined;
}
