// One bucket of S3 in our words: whole small texts, written on conditions, and addresses that carry their signature.

import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3ServiceException,
  paginateListObjectsV2,
} from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { RunnerError, SettingsError } from "../core/errors.ts";

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

/** Two writers at the very same moment are told 409, and nothing is written: ask again. */
const mostRaces = 5;
/** Of one DeleteObjects. */
const mostKeys = 1000;

type Put =
  | { readonly kind: "written"; readonly etag: string }
  | { readonly kind: "refused" }
  | { readonly kind: "gone" };

export function createObjects(client: S3Client, bucket: string): Objects {
  const read = (key: string) => readObject(client, bucket, key);
  return {
    bucket,
    read,
    create: async (key, body) => {
      const put = await putOn(client, { Bucket: bucket, Key: key, Body: body, IfNoneMatch: "*" });
      return put.kind === "written" ? put : { kind: "exists" };
    },
    replace: async (key, body, etag) => {
      const put = await putOn(client, { Bucket: bucket, Key: key, Body: body, IfMatch: etag });
      return put.kind === "written" ? put : { kind: "changed" };
    },
    write: async (key, body) => {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
    },
    exists: async (key) => {
      try {
        await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
        return true;
      } catch (error) {
        if (statusOf(error) === 404) return false;
        throw error;
      }
    },
    remove: (keys) => removeObjects(client, bucket, keys),
    list: (prefix) => listObjects(client, bucket, prefix),
    presign: (request) => presign(client, bucket, request),
  };
}

async function readObject(
  client: S3Client,
  bucket: string,
  key: string,
): Promise<StoredObject | undefined> {
  try {
    const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return {
      body: (await answer.Body?.transformToString("utf-8")) ?? "",
      etag: answer.ETag ?? "",
      modifiedAt: answer.LastModified?.getTime() ?? 0,
    };
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

interface Condition {
  readonly Bucket: string;
  readonly Key: string;
  readonly Body: string;
  readonly IfNoneMatch?: "*";
  readonly IfMatch?: string;
}

async function putOn(client: S3Client, condition: Condition): Promise<Put> {
  for (let race = 1; ; race += 1) {
    try {
      const answer = await client.send(new PutObjectCommand(condition));
      return { kind: "written", etag: answer.ETag ?? "" };
    } catch (error) {
      const status = statusOf(error);
      if (status === 409 && race < mostRaces) continue;
      if (status === 404) return { kind: "gone" };
      if (status !== 412) throw error;
      return (await ownWrite(client, condition, error)) ?? { kind: "refused" };
    }
  }
}

/**
 * Where the client asked again, since the first answer was lost on its way, what forbids the second write may be the
 * first one: then what is there is what we wrote.
 */
async function ownWrite(
  client: S3Client,
  { Bucket, Key, Body }: Condition,
  error: unknown,
): Promise<Put | undefined> {
  if (!(error instanceof S3ServiceException) || (error.$metadata.attempts ?? 1) < 2) {
    return undefined;
  }
  const found = await readObject(client, Bucket, Key);
  return found?.body === Body ? { kind: "written", etag: found.etag } : undefined;
}

async function removeObjects(client: S3Client, bucket: string, keys: readonly string[]) {
  for (let from = 0; from < keys.length; from += mostKeys) {
    const Objects = keys.slice(from, from + mostKeys).map((Key) => ({ Key }));
    const answer = await client.send(
      new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }),
    );
    const [first] = answer.Errors ?? [];
    if (first === undefined) continue;
    throw new RunnerError(
      "runner_system_failure",
      `S3 did not remove ${answer.Errors?.length} of ${Objects.length} objects of ${bucket}; ${first.Key}: ${first.Code}`,
    );
  }
}

async function listObjects(
  client: S3Client,
  bucket: string,
  prefix: string,
): Promise<readonly ListedObject[]> {
  const all: ListedObject[] = [];
  for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix })) {
    for (const { Key, LastModified, Size } of page.Contents ?? []) {
      if (Key === undefined) continue;
      all.push({ key: Key, modifiedAt: LastModified?.getTime() ?? 0, bytes: Size ?? 0 });
    }
  }
  return all;
}

async function presign(
  client: S3Client,
  bucket: string,
  { method, key, expiresSeconds, onlyIfMissing = false }: PresignRequest,
): Promise<Presigned> {
  const where = { Bucket: bucket, Key: key };
  const options = { expiresIn: expiresSeconds };
  if (method === "GET") {
    return { url: await getSignedUrl(client, new GetObjectCommand(where), options) };
  }
  if (method === "HEAD") {
    return { url: await getSignedUrl(client, new HeadObjectCommand(where), options) };
  }
  const put = new PutObjectCommand({ ...where, ...(onlyIfMissing ? { IfNoneMatch: "*" } : {}) });
  const url = await getSignedUrl(client, put, options);
  if (/[?&]x-amz-checksum-/i.test(url)) {
    throw new SettingsError(
      "The S3 client signs checksums into addresses, so that nothing but an empty object could be put there: " +
        'make it with requestChecksumCalculation "WHEN_REQUIRED"',
    );
  }
  return onlyIfMissing ? { url, headers: { "If-None-Match": "*" } } : { url };
}

function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}
