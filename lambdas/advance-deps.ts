// What launcher, reaper and sweeper work with: the deps of all functions, and what a launch needs besides.

import type { AdvanceDeps } from "../src/flow/advance-deps.ts";
import { createGitLabs } from "../src/flow/gitlabs.ts";
import { readBootScript } from "./boot-script.ts";
import { createDeps } from "./deps.ts";

/** What is told about a job is answered at once or asked again later: no function stands waiting for it. */
const timeouts = { totalSeconds: 10, responseHeaderSeconds: 8 };

export function createAdvanceDeps(
  functionName: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): AdvanceDeps {
  const deps = createDeps(functionName, env);
  return {
    ...deps,
    gitlabs: createGitLabs({ version: deps.version, timeouts }),
    region: env["AWS_REGION"] ?? "",
    bootScript: readBootScript(),
    random: Math.random,
  };
}
