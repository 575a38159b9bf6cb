// Sizes: how people write them, which of them Fargate has, and what they are called in a sentence.
// CPU is counted in units of 1/1024 vCPU and memory in MiB, as ECS does.

export interface Size {
  readonly cpuUnits: number;
  readonly memoryMiB: number;
}

/** The legal pairs of Fargate on Linux: for each cpu the memories, ascending. */
export const fargateSizes: readonly {
  readonly cpuUnits: number;
  readonly memoriesMiB: readonly number[];
}[] = [
  { cpuUnits: 256, memoriesMiB: [512, 1024, 2048] },
  { cpuUnits: 512, memoriesMiB: gigabytes(1, 4, 1) },
  { cpuUnits: 1024, memoriesMiB: gigabytes(2, 8, 1) },
  { cpuUnits: 2048, memoriesMiB: gigabytes(4, 16, 1) },
  { cpuUnits: 4096, memoriesMiB: gigabytes(8, 30, 1) },
  { cpuUnits: 8192, memoriesMiB: gigabytes(16, 60, 4) },
  { cpuUnits: 16_384, memoriesMiB: gigabytes(32, 120, 8) },
  { cpuUnits: 32_768, memoriesMiB: [60 * 1024, 120 * 1024, 244 * 1024] },
];

/** The largest task there is. */
export const largestFargateSize: Size = { cpuUnits: 32_768, memoryMiB: 244 * 1024 };

/** Ephemeral storage of a Fargate task in GiB: what comes without asking, and the most there is. */
export const fargateDiskGiB = { included: 20, most: 200 } as const;

function gigabytes(from: number, to: number, step: number): readonly number[] {
  const all: number[] = [];
  for (let size = from; size <= to; size += step) all.push(size * 1024);
  return all;
}

/** The smallest legal pair that holds the wish, least cpu first; undefined where Fargate has none. */
export function fargateSize(wish: Size): Size | undefined {
  for (const { cpuUnits, memoriesMiB } of fargateSizes) {
    if (cpuUnits < wish.cpuUnits) continue;
    const memoryMiB = memoriesMiB.find((memory) => memory >= wish.memoryMiB);
    if (memoryMiB !== undefined) return { cpuUnits, memoryMiB };
  }
  return undefined;
}

/** How CPU may be written, for answers to what could not be read. */
export const cpuForms = 'vCPU such as 0.5 or "2", or ECS units from 256 such as 1024';

/** Reads vCPU ("0.5", "2", "2 vCPU"), or ECS units from 256 on ("1024"). */
export function parseCpuUnits(value: string | number): number | undefined {
  const match = /^(\d+(?:\.\d+)?|\.\d+)\s*(?:v?cpus?)?$/i.exec(String(value).trim());
  const amount = Number(match?.[1]);
  if (!Number.isFinite(amount) || amount <= 0) return undefined;
  return amount >= 256 ? Math.ceil(amount) : Math.max(1, Math.round(amount * 1024));
}

/** How memory may be written, for answers to what could not be read. */
export const memoryForms =
  'a size such as "512m" or "4g"; a bare number up to 244 means GB, a larger one MB';

const exponents: Readonly<Record<string, number>> = { b: 0, k: 1, m: 2, g: 3, t: 4 };

/**
 * Reads "512m", "4g", "4 GiB" (all binary, as Docker does). A bare number is read as its magnitude
 * allows: up to 244, the most GB there are, it is GB; up to 4 million MiB, as in ECS; beyond, bytes,
 * as in config.toml.
 */
export function parseMemoryMiB(value: string | number): number | undefined {
  const match = /^(\d+(?:\.\d+)?|\.\d+)\s*(?:([bkmgt])(?:i?b)?)?$/i.exec(String(value).trim());
  const amount = Number(match?.[1]);
  if (!Number.isFinite(amount) || amount <= 0) return undefined;
  const unit = match?.[2]?.toLowerCase();
  if (unit !== undefined) return Math.ceil(amount * 1024 ** ((exponents[unit] ?? 0) - 2));
  if (amount <= 244) return Math.ceil(amount * 1024);
  if (amount < 4 * 1024 ** 2) return Math.ceil(amount);
  return Math.ceil(amount / 1024 ** 2);
}

export function cpuText(cpuUnits: number): string {
  return `${round(cpuUnits / 1024)} vCPU`;
}

export function memoryText(memoryMiB: number): string {
  return memoryMiB < 1024 ? `${memoryMiB} MB` : `${round(memoryMiB / 1024)} GB`;
}

/** `1 vCPU and 2 GB` */
export function sizeText(size: Size): string {
  return `${cpuText(size.cpuUnits)} and ${memoryText(size.memoryMiB)}`;
}

function round(amount: number): number {
  return Math.round(amount * 100) / 100;
}
