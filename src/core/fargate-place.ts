// Where tasks run and what they are given there: from the functions' environment and the runner's name. The same for
// every job of a runner, so the same for all its definitions.

import type { Architecture } from "./settings-task.ts";

export interface FargatePlace {
  readonly cluster: string;
  readonly region: string;
  readonly securityGroups: readonly string[];
  readonly assignPublicIp: "ENABLED" | "DISABLED";
  /** ARN of the role with which ECS itself pulls images, reads logins and environment files, and writes logs. */
  readonly executionRole: string;
  /** Of the jobs. */
  readonly logGroup: string;
  /** Begins the names of families. */
  readonly namePrefix: string;
  readonly agentImages: Readonly<Partial<Record<Architecture, string>>>;
  readonly stateBucket: string;
  /** The runner's name in Parameter Store: begins the streams of its jobs' logs. */
  readonly runner: string;
}

/** Folders of a task's containers: the same in all that have them. */
export const taskFolders = { control: "/burst/control", builds: "/builds" } as const;
