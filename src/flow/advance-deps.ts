// What advancing a claim needs of the world: ports and clocks, handed in by the functions and by tests.

import type { Functions } from "../aws/functions.ts";
import type { Objects } from "../aws/objects.ts";
import type { RegistrySecrets } from "../aws/secrets.ts";
import type { Tasks } from "../aws/tasks.ts";
import type { FunctionEnvironment } from "../core/function-environment.ts";
import type { EventLog, Metering } from "./event-log.ts";
import type { GitLabs } from "./gitlabs.ts";
import type { LoadedRunner } from "./runners.ts";

export interface AdvanceDeps {
  readonly environment: FunctionEnvironment;
  readonly region: string;
  /** The package's. */
  readonly version: string;
  /** Text of boot.sh. */
  readonly bootScript: string;
  /** The state bucket. */
  readonly objects: Objects;
  readonly cacheObjects: Objects;
  readonly tasks: Tasks;
  readonly secrets: RegistrySecrets;
  readonly functions: Functions;
  readonly gitlabs: Pick<GitLabs, "at">;
  /** undefined where there is none of that name, or a mistake keeps it from use. */
  readonly loadRunner: (name: string) => Promise<LoadedRunner | undefined>;
  readonly logger: EventLog;
  readonly metrics: Metering;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** In [0, 1). */
  readonly random: () => number;
  readonly sha256Hex: (text: string) => string;
}
