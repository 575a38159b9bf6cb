// What the functions work with: made once for each of their processes, and the only place in lambdas/ that reads the
// environment and makes the SDK's clients. These are set up in the standard way, so AWS_ENDPOINT_URL is followed.

import { createHash } from "node:crypto";
import { ECSClient } from "@aws-sdk/client-ecs";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { S3Client } from "@aws-sdk/client-s3";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SSMClient } from "@aws-sdk/client-ssm";
import { parse as parseYaml } from "yaml";
import packageManifest from "../package.json" with { type: "json" };
import { createFunctions } from "../src/aws/functions.ts";
import type { Functions } from "../src/aws/functions.ts";
import { createObjects } from "../src/aws/objects.ts";
import type { Objects } from "../src/aws/objects.ts";
import { createParameters } from "../src/aws/parameters.ts";
import type { Parameters } from "../src/aws/parameters.ts";
import { createRegistrySecrets } from "../src/aws/secrets.ts";
import type { RegistrySecrets } from "../src/aws/secrets.ts";
import { createTasks } from "../src/aws/tasks.ts";
import type { Tasks } from "../src/aws/tasks.ts";
import { SettingsError } from "../src/core/errors.ts";
import { functionEnvironmentSchema } from "../src/core/function-environment.ts";
import type { FunctionEnvironment } from "../src/core/function-environment.ts";
import type { EventLog, Metering } from "../src/flow/event-log.ts";
import { createRunnerLoader } from "../src/flow/runners.ts";
import type { LoadedRunner, LoadedRunners } from "../src/flow/runners.ts";
import { createGitLabs } from "../src/flow/gitlabs.ts";
import type { GitLabs } from "../src/flow/gitlabs.ts";
import { runnerPlace, stableSystemId } from "../src/gitlab/stable-system-id.ts";
import { sleepFor } from "../src/gitlab/sleep.ts";
import { createEventLog } from "./log.ts";
import { createMetering } from "./metrics.ts";
import { patience } from "./patience.ts";

export interface Deps {
  readonly environment: FunctionEnvironment;
  /** The package's. */
  readonly version: string;
  /** The state bucket. */
  readonly objects: Objects;
  /** The cache bucket. */
  readonly cacheObjects: Objects;
  readonly tasks: Tasks;
  readonly parameters: Parameters;
  readonly secrets: RegistrySecrets;
  readonly functions: Functions;
  readonly logger: EventLog;
  readonly metrics: Metering;
  /** Clients of GitLab, one for each address, runner and token, kept while the function's process lives. */
  readonly gitlabs: GitLabs;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Resolves early when the signal aborts. */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  readonly sha256Hex: (text: string) => string;
  /** As Parameter Store has them now: versions are looked up every time, secrets decrypted when theirs has changed. */
  readonly loadRunners: () => Promise<LoadedRunners>;
  /** undefined where there is none of that name, or a mistake keeps it from use. */
  readonly loadRunner: (name: string) => Promise<LoadedRunner | undefined>;
}

/** Small questions, answered in a fraction of a second. */
const requestHandler = patience(10);
/** A burst of jobs wakes many processes, and each looks once: Parameter Store turns some away for a second or two. */
const parameterAttempts = 6;

/** Throws SettingsError, naming every variable that is missing or wrong. */
export function createDeps(
  functionName: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Deps {
  const environment = readEnvironment(env);
  const s3 = new S3Client({
    requestHandler,
    // An emulator has no names for its buckets in DNS.
    ...(env["AWS_ENDPOINT_URL"] === undefined ? {} : { forcePathStyle: true }),
    // A checksum signed into an address would have to be sent by whoever uses it.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  const parameters = createParameters(
    new SSMClient({ requestHandler, maxAttempts: parameterAttempts }),
  );
  const loader = createRunnerLoader({
    parameters,
    path: environment.BURST_PARAMETERS,
    parseText: (text): unknown => parseYaml(text),
    systemId: (runner) => stableSystemId(runnerPlace(environment.BURST_PARAMETERS, runner)),
  });
  const version = packageManifest.version;
  return {
    environment,
    version,
    objects: createObjects(s3, environment.BURST_STATE_BUCKET),
    cacheObjects: createObjects(s3, environment.BURST_CACHE_BUCKET),
    tasks: createTasks(new ECSClient({ requestHandler }), environment.BURST_CLUSTER),
    parameters,
    secrets: createRegistrySecrets(new SecretsManagerClient({ requestHandler }), {
      kmsKey: environment.BURST_KMS_KEY,
      tags: { "gitlab-burst:environment": environment.BURST_ENVIRONMENT },
    }),
    functions: createFunctions(new LambdaClient({ requestHandler })),
    logger: createEventLog({ environment: environment.BURST_ENVIRONMENT, function: functionName }),
    metrics: createMetering(environment.BURST_ENVIRONMENT),
    gitlabs: createGitLabs({ version }),
    now: Date.now,
    sleep: sleepFor,
    sha256Hex: (text) => createHash("sha256").update(text).digest("hex"),
    loadRunners: loader.load,
    loadRunner: async (name) =>
      (await loader.load()).runners.find((runner) => runner.name === name),
  };
}

function readEnvironment(env: Readonly<Record<string, string | undefined>>): FunctionEnvironment {
  const parsed = functionEnvironmentSchema.safeParse(env);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new SettingsError(
    `The function's environment is not what the stack gives it: ${lines.join("; ")}`,
    { cause: parsed.error },
  );
}
