// What AWS's documentation says of Fargate's sizes and of the account's limits; written down here once more, apart
// from the product, which is checked against it.

import type { Bucket } from "./bucket.ts";

/** Memory in MiB by CPU units. */
const sizes: Readonly<Record<number, readonly number[]>> = {
  256: [512, 1024, 2048],
  512: gigabytes(1, 4, 1),
  1024: gigabytes(2, 8, 1),
  2048: gigabytes(4, 16, 1),
  4096: gigabytes(8, 30, 1),
  8192: gigabytes(16, 60, 4),
  16384: gigabytes(32, 120, 8),
  32768: [60, 120, 244].map((size) => size * 1024),
};

export function isFargateSize(cpuUnits: number, memoryMiB: number): boolean {
  return sizes[cpuUnits]?.includes(memoryMiB) ?? false;
}

export function isFargateCpu(cpuUnits: number): boolean {
  return sizes[cpuUnits] !== undefined;
}

function gigabytes(from: number, to: number, step: number): readonly number[] {
  const list: number[] = [];
  for (let size = from; size <= to; size += step) list.push(size * 1024);
  return list;
}

export const definitionBytes = 65_536;
export const overrideCharacters = 8192;
export const containersPerTask = 10;
export const imageCharacters = 255;

/** By the names under which calls share them. */
export const usualBuckets: Readonly<Record<string, Bucket>> = {
  "run-stop": { capacity: 100, perSecond: 40 },
  "launch/FARGATE": { capacity: 100, perSecond: 20 },
  "launch/FARGATE_SPOT": { capacity: 100, perSecond: 20 },
  "describe-list-tasks": { capacity: 100, perSecond: 20 },
  "register-deregister": { capacity: 20, perSecond: 1 },
  "describe-list-definitions": { capacity: 50, perSecond: 20 },
  "delete-definitions": { capacity: 5, perSecond: 1 },
  tag: { capacity: 20, perSecond: 10 },
};

/** The documentation's name for what is common to them, by API call. */
export const bucketOf: Readonly<Record<string, string>> = {
  RunTask: "run-stop",
  StopTask: "run-stop",
  DescribeTasks: "describe-list-tasks",
  ListTasks: "describe-list-tasks",
  RegisterTaskDefinition: "register-deregister",
  DeregisterTaskDefinition: "register-deregister",
  DescribeTaskDefinition: "describe-list-definitions",
  ListTaskDefinitions: "describe-list-definitions",
  ListTaskDefinitionFamilies: "describe-list-definitions",
  DeleteTaskDefinitions: "delete-definitions",
  TagResource: "tag",
};
