// Secrets Manager in our words: registry logins, for pulls by ECS accept nothing else.

import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Secret } from "../core/secret.ts";

export interface RegistrySecrets {
  /** Makes it where there is none of that name. Resolves to its ARN. */
  ensure(
    name: string,
    login: { readonly username: string; readonly password: Secret },
  ): Promise<string>;
  /** At once, without a recovery window; also where there is none. */
  remove(name: string): Promise<void>;
  list(
    prefix: string,
  ): Promise<
    readonly {
      readonly name: string;
      readonly lastUsedAt: number | undefined;
      readonly createdAt: number;
    }[]
  >;
}

export declare function createRegistrySecrets(
  client: SecretsManagerClient,
  options: { readonly kmsKey: string; readonly tags: Readonly<Record<string, string>> },
): RegistrySecrets;
