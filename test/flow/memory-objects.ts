// A bucket in memory with S3's conditions: an ETag for every content, create and replace are atomic, and a listing sees
// all that was written before it. Trouble is made to order.

import { createHash } from "node:crypto";
import type { Objects } from "../../src/aws/objects.ts";

type Operation = "read" | "create" | "replace" | "write" | "exists" | "remove" | "list";

export interface MemoryObjects extends Objects {
  /** By key: what is there now. */
  readonly contents: ReadonlyMap<string, string>;
  /** Every call, oldest first: `create claims/…`. */
  readonly calls: readonly string[];
  /**
   * Called before (and, where it says so, after) an operation takes effect; what it throws is what the caller gets.
   * "after": the write has happened, only its answer is lost.
   */
  fault?: ((operation: Operation, key: string, moment: "before" | "after") => void) | undefined;
}

export function memoryObjects(now: () => number = Date.now, bucket = "state"): MemoryObjects {
  const contents = new Map<string, string>();
  const modified = new Map<string, number>();
  const calls: string[] = [];
  // S3 answers no sooner than the caller's turn is over.
  const act = async <T>(operation: Operation, key: string, effect: () => T): Promise<T> => {
    calls.push(`${operation} ${key}`);
    await Promise.resolve();
    objects.fault?.(operation, key, "before");
    const result = effect();
    objects.fault?.(operation, key, "after");
    return result;
  };
  const put = (key: string, body: string) => {
    contents.set(key, body);
    modified.set(key, now());
    return { kind: "written" as const, etag: etagOf(body) };
  };
  const objects: MemoryObjects = {
    bucket,
    contents,
    calls,
    read: (key) =>
      act("read", key, () => {
        const body = contents.get(key);
        if (body === undefined) return undefined;
        return { body, etag: etagOf(body), modifiedAt: modified.get(key) ?? 0 };
      }),
    create: (key, body) =>
      act("create", key, () => (contents.has(key) ? { kind: "exists" as const } : put(key, body))),
    replace: (key, body, etag) =>
      act("replace", key, () => {
        const known = contents.get(key);
        if (known === undefined || etagOf(known) !== etag) return { kind: "changed" as const };
        return put(key, body);
      }),
    write: (key, body) =>
      act("write", key, () => {
        put(key, body);
      }),
    exists: (key) => act("exists", key, () => contents.has(key)),
    remove: (keys) =>
      act("remove", keys.join(" "), () => {
        for (const key of keys) {
          contents.delete(key);
          modified.delete(key);
        }
      }),
    list: (prefix) =>
      act("list", prefix, () =>
        [...contents]
          .filter(([key]) => key.startsWith(prefix))
          .map(([key, body]) => ({
            key,
            // S3 tells whole seconds.
            modifiedAt: Math.floor((modified.get(key) ?? 0) / 1000) * 1000,
            bytes: Buffer.byteLength(body),
          }))
          .toSorted((a, b) => (a.key < b.key ? -1 : 1)),
      ),
    presign: ({ method, key, onlyIfMissing }) =>
      Promise.resolve({
        url: `https://${bucket}.example.com/${key}?method=${method}`,
        ...(onlyIfMissing === true ? { headers: { "If-None-Match": "*" } } : {}),
      }),
  };
  return objects;
}

function etagOf(body: string): string {
  return `"${createHash("md5").update(body).digest("hex")}"`;
}
