// What the environment of our functions holds: read once when one starts, and written by the stack from the same
// type, so that a variable that is missing is an error of the compiler.

import * as z from "zod";
import { architectures } from "./settings-task.ts";

const list = z.string().transform((text) => text.split(",").filter((part) => part !== ""));

export const functionEnvironmentSchema = z.object({
  /** The environment's name: `default`, `prod`. */
  BURST_ENVIRONMENT: z.string().min(1),
  /** Where its settings lie: `/gitlab-burst/<env>`, without a slash at the end. */
  BURST_PARAMETERS: z.string().startsWith("/"),
  /** Begins the names of families, secrets and functions. */
  BURST_NAME_PREFIX: z.string().min(1),
  BURST_CLUSTER: z.string().min(1),
  BURST_SUBNETS: list,
  BURST_SECURITY_GROUPS: list,
  BURST_ASSIGN_PUBLIC_IP: z.enum(["ENABLED", "DISABLED"]),
  BURST_STATE_BUCKET: z.string().min(1),
  BURST_CACHE_BUCKET: z.string().min(1),
  /** Of the jobs. */
  BURST_LOG_GROUP: z.string().min(1),
  BURST_EXECUTION_ROLE: z.string().min(1),
  /** JSON: the agent's image by architecture. */
  BURST_AGENT_IMAGES: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(z.partialRecord(z.enum(architectures), z.string().min(1))),
  /** Function to invoke with `{"claim": "<claim id>"}`. */
  BURST_LAUNCHER: z.string().min(1),
  /** KMS key for what we write, by ARN; empty for the services' own. */
  BURST_KMS_KEY: z.string().default(""),
});

export type FunctionEnvironment = z.output<typeof functionEnvironmentSchema>;

/** As the stack writes it: every value a text. */
export type FunctionVariables = Readonly<Record<keyof FunctionEnvironment, string>>;

/** The event of the launcher. Never more than the claim's name: an event may end in a queue of what failed. */
export const launcherEventSchema = z.object({ claim: z.string() });
