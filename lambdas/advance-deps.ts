// What launcher, reaper and sweeper work with: the deps of all functions, and what a launch needs besides.

import type { AdvanceDeps } from "../src/flow/advance-deps.ts";
import { readBootScript } from "./boot-script.ts";
import { createDeps } from "./deps.ts";

export function createAdvanceDeps(
  functionName: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): AdvanceDeps {
  return {
    ...createDeps(functionName, env),
    region: env["AWS_REGION"] ?? "",
    bootScript: readBootScript(),
    random: Math.random,
  };
}
