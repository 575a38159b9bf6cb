// Parameter Store in our words.

import type { SSMClient } from "@aws-sdk/client-ssm";
import type { Secret } from "../core/secret.ts";

export interface ListedParameter {
  /** Whole: `/gitlab-burst/default/runners/team/settings`. */
  readonly name: string;
  readonly version: number;
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

export declare function createParameters(client: SSMClient): Parameters;
