// `burst destroy`: removes what CloudFormation leaves of an environment: its parameters with the runners' tokens, logins,
// logs, buckets with all that is in them, task definitions. Lists it first; does it only with --yes.

import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { ECSClient } from "@aws-sdk/client-ecs";
import { S3Client } from "@aws-sdk/client-s3";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SSMClient } from "@aws-sdk/client-ssm";
import { Command } from "commander";
import { sleep, steadyNow } from "../agent/clock.ts";
import { definitionRemover, taskDefinitions } from "../aws/left-definitions.ts";
import { removeBucket, removeLogGroup, taggedBuckets, taggedLogGroups } from "../aws/leftovers.ts";
import { createParameters } from "../aws/parameters.ts";
import { createRegistrySecrets } from "../aws/secrets.ts";
import { SettingsError } from "../core/errors.ts";
import {
  clientOptions,
  environmentOption,
  hasFunctions,
  namePrefix,
  onAws,
  parametersPath,
  prefixOption,
  regionOption,
} from "./aws-place.ts";
import type { DeployedPlace } from "./aws-place.ts";
import { reportFailure } from "./exit.ts";

interface DestroyOptions extends DeployedPlace {
  readonly yes?: boolean;
}

export function destroyCommand(): Command {
  return new Command("destroy")
    .description("remove what is left of an environment on AWS, after `cdk destroy`")
    .addOption(environmentOption())
    .addOption(regionOption())
    .addOption(prefixOption())
    .option("--yes", "do it, instead of only listing it")
    .action(async (options: DestroyOptions) => {
      try {
        await onAws(() => destroy(options));
      } catch (cause) {
        reportFailure(cause);
      }
    });
}

interface Leftover {
  readonly kind: string;
  readonly name: string;
  readonly remove: () => Promise<void>;
}

async function destroy(options: DestroyOptions): Promise<void> {
  const path = parametersPath(options);
  const prefix = namePrefix(options);
  if (await hasFunctions(options)) {
    throw new SettingsError(
      `The environment ${options.env} is still deployed: run \`npx cdk destroy -c env=${options.env}\` first, or its functions make anew what is removed`,
    );
  }
  const clients = openClients(options);
  try {
    const found = await findLeftovers(clients, options.env, path, prefix);
    if (found.length === 0) {
      process.stdout.write(`Nothing is left of the environment ${options.env}.\n`);
      return;
    }
    for (const { kind, name } of found) process.stdout.write(`${kind} ${name}\n`);
    if (options.yes !== true) {
      throw new SettingsError(
        `All of this would be removed, and cannot be brought back: give --yes to do it`,
      );
    }
    await removeAll(found);
  } finally {
    for (const client of Object.values(clients)) client.destroy();
  }
}

function openClients(options: DestroyOptions) {
  const common = clientOptions(options);
  return {
    ssm: new SSMClient(common),
    secrets: new SecretsManagerClient(common),
    logs: new CloudWatchLogsClient(common),
    ecs: new ECSClient(common),
    s3: new S3Client({
      ...common,
      // An emulator has no names for its buckets in DNS.
      ...(process.env["AWS_ENDPOINT_URL"] === undefined ? {} : { forcePathStyle: true }),
    }),
  };
}

async function findLeftovers(
  clients: ReturnType<typeof openClients>,
  environment: string,
  path: string,
  prefix: string,
): Promise<readonly Leftover[]> {
  const { ssm, secrets, logs, ecs, s3 } = clients;
  const parameters = createParameters(ssm);
  const removeDefinition = definitionRemover(ecs, { now: steadyNow, sleep });
  const vault = createRegistrySecrets(secrets, { kmsKey: "", tags: {} });
  return [
    ...(await parameters.list(path)).map(({ name }) => ({
      kind: "parameter",
      name,
      remove: () => parameters.remove([name]),
    })),
    ...(await vault.list(`${prefix}/`)).map(({ name }) => ({
      kind: "secret",
      name,
      remove: () => vault.remove(name),
    })),
    ...(await taggedLogGroups(logs, environment)).map((name) => ({
      kind: "log group",
      name,
      remove: () => removeLogGroup(logs, name),
    })),
    ...(await taggedBuckets(s3, environment)).map((name) => ({
      kind: "bucket",
      name,
      remove: () => removeBucket(s3, name),
    })),
    ...(await taskDefinitions(ecs, prefix)).map((definition) => ({
      kind: "task definition",
      name: definition.arn,
      remove: () => removeDefinition(definition),
    })),
  ];
}

/** One that cannot be removed keeps none of the others. */
async function removeAll(found: readonly Leftover[]): Promise<void> {
  const failed: string[] = [];
  for (const { kind, name, remove } of found) {
    try {
      await remove();
    } catch (cause) {
      failed.push(`${kind} ${name}: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }
  process.stdout.write(`${found.length - failed.length} of ${found.length} removed.\n`);
  if (failed.length > 0) throw new Error(`These are still there:\n${failed.join("\n")}`);
}
