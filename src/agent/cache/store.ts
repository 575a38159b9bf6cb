// Where caches lie between jobs: a folder of this machine, or object storage behind presigned addresses. Small, so
// that the stages know nothing of either. Nothing here throws for what a store or a network may do.

import type { CacheAddress } from "../../core/cache.ts";

/** For one job: what it has fetched decides what it need not keep again. */
export interface CacheStore {
  /** Brings the archive where it can be read. */
  fetch(address: CacheAddress): Promise<CacheFetch>;
  /** The archive that is there is of no use: it is to be replaced in any case. */
  distrust(address: CacheAddress): void;
  /**
   * When the archive was made that a job may leave as it is if none of its files is newer; undefined: there is none,
   * or nobody knows.
   */
  savedAt(address: CacheAddress): Promise<number | undefined>;
  /** A place for a new archive. */
  draft(address: CacheAddress): Promise<CacheDraft>;
}

export type CacheFetch =
  | {
      readonly kind: "found";
      readonly file: string;
      /** The file is needed no more. */
      readonly release: () => Promise<void>;
    }
  | { readonly kind: "missing" }
  | { readonly kind: "failed"; readonly message: string };

export interface CacheDraft {
  /** To be made; does not exist yet. */
  readonly file: string;
  /** Puts the file, now whole, in the place of the archive that was there. */
  keep(): Promise<CacheKeep>;
  /** Removes the file where it was not kept. */
  discard(): Promise<void>;
}

export type CacheKeep =
  | { readonly kind: "kept" }
  | { readonly kind: "failed"; readonly message: string };
