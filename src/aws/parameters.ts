// Parameter Store in our words.

import {
  DeleteParametersCommand,
  GetParametersCommand,
  PutParameterCommand,
  paginateGetParametersByPath,
} from "@aws-sdk/client-ssm";
import type { SSMClient } from "@aws-sdk/client-ssm";
import { Secret } from "../core/secret.ts";

export interface ListedParameter {
  /** Whole: `/gitlab-burst/default/runners/team/settings`. */
  readonly name: string;
  readonly version: number;
  /** Milliseconds since the epoch: one that was removed and made again begins at version 1 again. */
  readonly modifiedAt?: number | undefined;
  readonly secure: boolean;
  /** undefined for a SecureString: not decrypted by a listing. */
  readonly value: string | undefined;
}

export interface Parameters {
  /** Everything below a path, page after page, secrets undecrypted: costs nothing but a few calls. */
  list(path: string): Promise<readonly ListedParameter[]>;
  /** Decrypted; names that do not exist are missing from the answer. */
  secrets(names: readonly string[]): Promise<ReadonlyMap<string, Secret>>;
  put(name: string, value: Secret | string): Promise<void>;
  remove(names: readonly string[]): Promise<void>;
}

/** Of one call, as Parameter Store has it. */
const mostNames = 10;

export function createParameters(client: SSMClient): Parameters {
  return {
    list: (path) => listParameters(client, path),
    secrets: async (names) => {
      const found = new Map<string, Secret>();
      for (const some of inTens(names)) {
        const answer = await client.send(
          new GetParametersCommand({ Names: some, WithDecryption: true }),
        );
        for (const { Name, Value } of answer.Parameters ?? []) {
          if (Name !== undefined && Value !== undefined) found.set(Name, new Secret(Value));
        }
      }
      return found;
    },
    put: async (name, value) => {
      const secure = value instanceof Secret;
      await client.send(
        new PutParameterCommand({
          Name: name,
          Value: secure ? value.reveal() : value,
          Type: secure ? "SecureString" : "String",
          Overwrite: true,
          // Free up to 4 KB; and one that is advanced already stays so, which "Standard" would refuse.
          Tier: "Intelligent-Tiering",
        }),
      );
    },
    remove: async (names) => {
      for (const some of inTens(names)) {
        await client.send(new DeleteParametersCommand({ Names: some }));
      }
    },
  };
}

async function listParameters(client: SSMClient, path: string) {
  const all: ListedParameter[] = [];
  const pages = paginateGetParametersByPath(
    { client, pageSize: mostNames },
    { Path: path, Recursive: true, WithDecryption: false },
  );
  for await (const page of pages) {
    for (const { Name, Type, Value, Version, LastModifiedDate } of page.Parameters ?? []) {
      if (Name === undefined) continue;
      const secure = Type === "SecureString";
      const [version, modifiedAt] = [Version ?? 0, LastModifiedDate?.getTime()];
      all.push({ name: Name, version, modifiedAt, secure, value: secure ? undefined : Value });
    }
  }
  return all;
}

function inTens(names: readonly string[]): readonly string[][] {
  const all = [...new Set(names)];
  return Array.from({ length: Math.ceil(all.length / mostNames) }, (_, index) =>
    all.slice(index * mostNames, (index + 1) * mostNames),
  );
}
