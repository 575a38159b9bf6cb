// One bucket of S3 in our words: whole small texts, written on conditions, and addresses that carry their signature.

import type { S3Client } from "@aws-sdk/client-s3";

export interface StoredObject {
  readonly body: string;
  readonly etag: string;
  readonly modifiedAt: number;
}

export interface ListedObject {
  readonly key: string;
  readonly modifiedAt: number;
  readonly bytes: number;
}

export interface PresignRequest {
  readonly method: "GET" | "HEAD" | "PUT";
  readonly key: string;
  readonly expiresSeconds: number;
  /** PUT that only the first gets through: `If-None-Match: *`, signed with the address. */
  readonly onlyIfMissing?: boolean;
}

export interface Presigned {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Objects {
  readonly bucket: string;
  /** undefined where there is none. */
  read(key: string): Promise<StoredObject | undefined>;
  /** Atomic: only where there is none. */
  create(
    key: string,
    body: string,
  ): Promise<{ readonly kind: "written"; readonly etag: string } | { readonly kind: "exists" }>;
  /** Atomic: only where it is still as it was read. */
  replace(
    key: string,
    body: string,
    etag: string,
  ): Promise<{ readonly kind: "written"; readonly etag: string } | { readonly kind: "changed" }>;
  write(key: string, body: string): Promise<void>;
  exists(key: string): Promise<boolean>;
  remove(keys: readonly string[]): Promise<void>;
  /** All of them, page after page. */
  list(prefix: string): Promise<readonly ListedObject[]>;
  presign(request: PresignRequest): Promise<Presigned>;
}

export declare function createObjects(client: S3Client, bucket: string): Objects;
