// Caches in object storage, by presigned addresses: one each to get, to look and to put, handed to the agent for the
// keys of its job. It has no credentials that would reach any other object.

import { randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { CacheAddress } from "../../core/cache.ts";
import type { JobLog } from "../../core/job-log.ts";
import { callPresigned } from "./presigned-request.ts";
import type { PresignedCall, PresignedReply, PresignedRequest } from "./presigned-request.ts";
import type { StorageNetwork } from "./storage-route.ts";
import type { CacheDraft, CacheFetch, CacheKeep, CacheStore } from "./store.ts";

/** Addresses of one object. */
export interface PresignedCache {
  readonly get?: PresignedRequest;
  readonly head?: PresignedRequest;
  readonly put?: PresignedRequest;
}

export interface PresignedStoreOptions {
  /** By the object's name. */
  readonly caches: ReadonlyMap<string, PresignedCache>;
  /** The agent's own. */
  readonly scratch: string;
  readonly network: StorageNetwork;
  /** Of one request: CACHE_REQUEST_TIMEOUT. */
  readonly timeoutSeconds: number;
  readonly log: JobLog;
  readonly signal: AbortSignal;
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

const streamBytes = 256 * 1024;

export function presignedStore(options: PresignedStoreOptions): CacheStore {
  /** When the archives were made that this job has fetched. */
  const fetched = new Map<string, number>();
  const addresses = ({ objectName }: CacheAddress): PresignedCache =>
    options.caches.get(objectName) ?? {};
  return {
    async fetch(address) {
      const { get } = addresses(address);
      if (get === undefined) return { kind: "failed", message: noAddress("fetched", address) };
      const file = await scratchFile(options.scratch);
      const reply = await download(options, get, file);
      if (reply.kind !== "done") await rm(file, { force: true });
      else {
        const madeAt = Date.parse(reply.header("last-modified") ?? "");
        if (!Number.isNaN(madeAt)) fetched.set(address.objectName, madeAt);
      }
      return fetchOf(reply, file);
    },
    distrust: ({ objectName }) => void fetched.delete(objectName),
    async savedAt(address) {
      const madeAt = fetched.get(address.objectName);
      const { head } = addresses(address);
      if (madeAt === undefined || head === undefined) return madeAt;
      // It may have been deleted meanwhile; then it has to be made anew, changed or not.
      const reply = await callPresigned(callOf(options, "HEAD", head));
      return reply.kind === "done" ? madeAt : undefined;
    },
    async draft(address): Promise<CacheDraft> {
      const file = await scratchFile(options.scratch);
      const { put } = addresses(address);
      return {
        file,
        keep: async () =>
          put === undefined
            ? { kind: "failed", message: noAddress("kept", address) }
            : await upload(options, put, file),
        discard: () => rm(file, { force: true }),
      };
    },
  };
}

async function scratchFile(scratch: string): Promise<string> {
  await mkdir(scratch, { recursive: true });
  return join(scratch, `cache-${randomUUID()}`);
}

async function download(
  options: PresignedStoreOptions,
  request: PresignedRequest,
  file: string,
): Promise<PresignedReply> {
  const reply = await callPresigned({
    ...callOf(options, "GET", request),
    receive: (body) => pipeline(body, createWriteStream(file, { mode: 0o600 })),
  });
  if (reply.kind === "done") options.log.line(`Downloading cache from ${plainUrl(request)}`);
  return reply;
}

function fetchOf(reply: PresignedReply, file: string): CacheFetch {
  if (reply.kind === "failed") return { kind: "failed", message: reply.message };
  if (reply.kind === "missing") return reply;
  return { kind: "found", file, release: () => rm(file, { force: true }) };
}

async function upload(
  options: PresignedStoreOptions,
  request: PresignedRequest,
  file: string,
): Promise<CacheKeep> {
  options.log.line(`Uploading cache.zip to ${plainUrl(request)}`);
  const { size, mtime } = await stat(file);
  const reply = await callPresigned({
    ...callOf(options, "PUT", request),
    headers: {
      // Storage takes no chunked transfer.
      "content-length": String(size),
      "content-type": "application/octet-stream",
      "last-modified": mtime.toUTCString(),
    },
    body: () => createReadStream(file, { highWaterMark: streamBytes }),
  });
  if (reply.kind === "done") return { kind: "kept" };
  if (reply.kind === "failed") return { kind: "failed", message: reply.message };
  return { kind: "failed", message: `PUT ${plainUrl(request)}: there is no such bucket` };
}

function callOf(
  options: PresignedStoreOptions,
  method: PresignedCall["method"],
  request: PresignedRequest,
): PresignedCall {
  const { network, timeoutSeconds, signal, sleep } = options;
  return { network, method, request, timeoutSeconds, signal, sleep };
}

function noAddress(what: string, { key }: CacheAddress): string {
  return `the cache ${key} cannot be ${what}: this job was given no address for it`;
}

function plainUrl({ url }: PresignedRequest): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
