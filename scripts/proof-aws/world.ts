// What the assertions work with: a deployed environment, the product's own ports, and what was made to look at it.

import type { ECSClient } from "@aws-sdk/client-ecs";
import type { Logs } from "../../src/aws/logs.ts";
import type { Objects } from "../../src/aws/objects.ts";
import type { RegistrySecrets } from "../../src/aws/secrets.ts";
import type { Tasks } from "../../src/aws/tasks.ts";
import type { FunctionEnvironment } from "../../src/core/function-environment.ts";
import type { AsLauncher } from "./as-launcher.ts";
import type { AwsCommand } from "./aws-command.ts";
import type { ProbeName } from "./probe-spec.ts";
import type { Probe } from "./probe.ts";
import type { ProofStack } from "./proof-stack.ts";
import type { Undo } from "./undo.ts";

export interface World {
  /** Of the proof: begins all that it makes. */
  readonly runName: string;
  readonly region: string;
  readonly account: string;
  readonly environment: FunctionEnvironment;
  readonly ecs: ECSClient;
  readonly tasks: Tasks;
  readonly objects: Objects;
  readonly secrets: RegistrySecrets;
  readonly logs: Logs;
  readonly aws: AwsCommand;
  readonly asLauncher: AsLauncher;
  readonly stack: ProofStack;
  /** Started when it is first asked for, once. */
  readonly probe: (name: ProbeName) => Promise<Probe>;
  readonly undo: Undo;
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** What a probe itself is started with. */
export type ProbeWorld = Omit<World, "probe">;
