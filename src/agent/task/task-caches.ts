// A job's caches in the cache bucket, by addresses that are made fresh before they are used.

import { presignedStore } from "../cache/presigned-store.ts";
import type { PresignedStoreOptions } from "../cache/presigned-store.ts";
import type { CacheStore } from "../cache/store.ts";
import type { LiveGrants } from "./grants.ts";

export function taskCaches(
  grants: LiveGrants,
  options: Omit<PresignedStoreOptions, "caches">,
): CacheStore {
  const store = presignedStore({ ...options, caches: grants.caches });
  return {
    async fetch(address) {
      await grants.fresh();
      return await store.fetch(address);
    },
    distrust: (address) => store.distrust(address),
    async savedAt(address) {
      await grants.fresh();
      return await store.savedAt(address);
    },
    async draft(address) {
      await grants.fresh();
      return await store.draft(address);
    },
  };
}
