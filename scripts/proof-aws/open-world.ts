// Finds the deployed environment and makes what the proof looks through.

import { randomBytes } from "node:crypto";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { ECSClient } from "@aws-sdk/client-ecs";
import { GetFunctionConfigurationCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { S3Client } from "@aws-sdk/client-s3";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { sleep } from "../../src/agent/clock.ts";
import { createLogs } from "../../src/aws/logs.ts";
import { createObjects } from "../../src/aws/objects.ts";
import { createRegistrySecrets } from "../../src/aws/secrets.ts";
import { createTasks } from "../../src/aws/tasks.ts";
import { deployedEnvironment } from "../../src/cli/aws-place.ts";
import { SettingsError } from "../../src/core/errors.ts";
import type { FunctionEnvironment } from "../../src/core/function-environment.ts";
import type { ProofArguments } from "./arguments.ts";
import { createAsLauncher } from "./as-launcher.ts";
import { createAwsCommand } from "./aws-command.ts";
import { probeSpecs } from "./probe-spec.ts";
import type { ProbeName } from "./probe-spec.ts";
import { startProbe } from "./probe.ts";
import type { Probe } from "./probe.ts";
import { createProofStack, proofTemplate, removeProofStack } from "./proof-stack.ts";
import type { Undo } from "./undo.ts";
import type { ProbeWorld, World } from "./world.ts";

/** Before anything is made. Throws SettingsError where there is no such environment. */
export async function findEnvironment(
  options: Pick<ProofArguments, "env" | "region" | "prefix">,
): Promise<FunctionEnvironment> {
  const { env, region, prefix } = options;
  const place = { env, ...(region === undefined ? {} : { region }) };
  const found = await deployedEnvironment({
    ...place,
    ...(prefix === undefined ? {} : { prefix }),
  });
  if (found !== undefined) return found;
  throw new SettingsError(
    `There is no environment ${env} in this account and region: deploy it first (docs/deploy.md), or see --env, --region and --prefix`,
  );
}

export async function openWorld(
  environment: FunctionEnvironment,
  options: ProofArguments,
  undo: Undo,
): Promise<World> {
  const place = options.region === undefined ? {} : { region: options.region };
  const ecs = new ECSClient(place);
  const lambda = new LambdaClient(place);
  const launcher = await lambda.send(
    new GetFunctionConfigurationCommand({ FunctionName: environment.BURST_LAUNCHER }),
  );
  const [, partition, , region = "", account = ""] = (launcher.FunctionArn ?? "").split(":");
  const aws = createAwsCommand(region);
  const runName = `proof-${randomBytes(4).toString("hex")}`;
  const cluster = `arn:${partition}:ecs:${region}:${account}:cluster/${environment.BURST_CLUSTER}`;
  const stackName = `gitlab-burst-${runName}`;
  undo.add(`stack ${stackName}`, () => removeProofStack(aws, stackName));
  const stack = await createProofStack(aws, stackName, proofTemplate(launcher.Role ?? "", cluster));
  const world: ProbeWorld = {
    runName,
    region,
    account,
    environment,
    ecs,
    tasks: createTasks(ecs, environment.BURST_CLUSTER),
    objects: createObjects(
      new S3Client({
        ...place,
        requestChecksumCalculation: "WHEN_REQUIRED",
        // An emulator has no names for its buckets in DNS.
        ...(process.env["AWS_ENDPOINT_URL"] === undefined ? {} : { forcePathStyle: true }),
      }),
      environment.BURST_STATE_BUCKET,
    ),
    secrets: createRegistrySecrets(new SecretsManagerClient(place), {
      kmsKey: environment.BURST_KMS_KEY,
      tags: {},
    }),
    logs: createLogs(new CloudWatchLogsClient(place), environment.BURST_LOG_GROUP),
    aws,
    asLauncher: createAsLauncher(lambda, stack.functionName),
    stack,
    undo,
    now: Date.now,
    sleep,
  };
  const probes = new Map<ProbeName, Promise<Probe>>();
  return {
    ...world,
    probe: (name) => {
      const probe = probes.get(name) ?? startProbe(world, name, probeSpecs[name]);
      probes.set(name, probe);
      return probe;
    },
  };
}
