// Secrets Manager in our words: registry logins, for pulls by ECS accept nothing else.

import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  RestoreSecretCommand,
  paginateListSecrets,
} from "@aws-sdk/client-secrets-manager";
import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { RunnerError } from "../core/errors.ts";
import type { Secret } from "../core/secret.ts";

export interface RegistrySecrets {
  /** Makes it where there is none of that name. Resolves to its ARN. */
  ensure(
    name: string,
    login: { readonly username: string; readonly password: Secret },
  ): Promise<string>;
  /** At once, without a recovery window; also where there is none. */
  remove(name: string): Promise<void>;
  list(prefix: string): Promise<
    readonly {
      readonly name: string;
      readonly lastUsedAt: number | undefined;
      readonly createdAt: number;
    }[]
  >;
}

export function createRegistrySecrets(
  client: SecretsManagerClient,
  options: { readonly kmsKey: string; readonly tags: Readonly<Record<string, string>> },
): RegistrySecrets {
  const find = (name: string) => findSecret(client, name);
  const create = async (name: string, login: { username: string; password: Secret }) => {
    const answer = await client.send(
      new CreateSecretCommand({
        Name: name,
        SecretString: JSON.stringify({
          username: login.username,
          password: login.password.reveal(),
        }),
        ...(options.kmsKey === "" ? {} : { KmsKeyId: options.kmsKey }),
        Tags: Object.entries(options.tags).map(([Key, Value]) => ({ Key, Value })),
      }),
    );
    return answer.ARN;
  };
  return {
    ensure: async (name, login) => {
      const known = await find(name);
      if (known !== undefined) return known;
      try {
        const arn = await create(name, login);
        if (arn !== undefined) return arn;
      } catch (error) {
        // Somebody else has made the same one meanwhile.
        if (!(error instanceof ResourceExistsException)) throw error;
      }
      const made = await find(name);
      if (made !== undefined) return made;
      throw new RunnerError(
        "runner_system_failure",
        `Secrets Manager has made the secret ${name}, and does not know it`,
      );
    },
    remove: async (name) => {
      try {
        await client.send(
          new DeleteSecretCommand({ SecretId: name, ForceDeleteWithoutRecovery: true }),
        );
      } catch (error) {
        if (!(error instanceof ResourceNotFoundException)) throw error;
      }
    },
    list: (prefix) => listSecrets(client, prefix),
  };
}

/** Its ARN. One that somebody has marked for deletion is taken back: ECS could not read it. */
async function findSecret(client: SecretsManagerClient, name: string): Promise<string | undefined> {
  try {
    const found = await client.send(new DescribeSecretCommand({ SecretId: name }));
    if (found.DeletedDate !== undefined) {
      await client.send(new RestoreSecretCommand({ SecretId: name }));
    }
    return found.ARN;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

async function listSecrets(client: SecretsManagerClient, prefix: string) {
  const all: { name: string; lastUsedAt: number | undefined; createdAt: number }[] = [];
  const pages = paginateListSecrets(
    { client, pageSize: 100 },
    { Filters: [{ Key: "name", Values: [prefix] }] },
  );
  for await (const page of pages) {
    for (const { Name, LastAccessedDate, CreatedDate } of page.SecretList ?? []) {
      // The filter knows words, not beginnings of names.
      if (Name === undefined || !Name.startsWith(prefix)) continue;
      const lastUsedAt = LastAccessedDate?.getTime();
      all.push({ name: Name, lastUsedAt, createdAt: CreatedDate?.getTime() ?? 0 });
    }
  }
  return all;
}
