// The addresses that the agent was given, kept good: they end with the session that signed them. Somebody who may sign
// puts fresh ones into the bucket while the job runs, and the way to those is among them: so they are fetched from time
// to time, needed or not.

import { grantsSchema } from "../../core/hand-off.ts";
import type { Grants } from "../../core/hand-off.ts";
import { requestOf } from "./storage.ts";
import type { Storage } from "./storage.ts";
import type { PresignedCache } from "../cache/presigned-store.ts";

export interface LiveGrants {
  /** Renewed where they are old. Never fails: old ones may still do. */
  fresh(): Promise<Grants>;
  /** By the object's name; changes with each renewal. */
  readonly caches: ReadonlyMap<string, PresignedCache>;
}

export interface GrantTools {
  readonly storage: Storage;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  /** Ends the renewals. */
  readonly over: AbortSignal;
}

const oldAfterMilliseconds = 20 * 60_000;
const lookMilliseconds = 5 * 60_000;
/** In a row, where the bucket does not answer. */
const tries = 3;

export function openGrants(given: Grants, tools: GrantTools): LiveGrants {
  const { storage, now, sleep, over } = tools;
  const caches = new Map<string, PresignedCache>();
  let grants = given;
  let renewing: Promise<void> | undefined;
  const adopt = (newer: Grants) => {
    grants = newer;
    for (const [name, cache] of Object.entries(newer.caches)) caches.set(name, addressesOf(cache));
  };
  adopt(given);

  const renew = async () => {
    for (let attempt = 1; attempt <= tries && !over.aborted; attempt++) {
      const reply = await storage.read(grants.renewed);
      if (reply.kind === "text") {
        const read = readGrants(reply.text);
        if (read !== undefined && read.signedAt > grants.signedAt) adopt(read);
        return;
      }
      // Nobody has signed any yet, or these are over: asking again at once will not help.
      if (reply.kind === "missing" || (reply.status !== undefined && reply.status < 500)) return;
      await sleep(attempt * 1000, over);
    }
  };
  const renewOld = async () => {
    if (now() - grants.signedAt < oldAfterMilliseconds) return;
    renewing ??= renew().finally(() => {
      renewing = undefined;
    });
    await renewing;
  };
  const keepFresh = async () => {
    while (!over.aborted) {
      await sleep(lookMilliseconds, over);
      if (!over.aborted) await renewOld();
    }
  };
  void keepFresh();
  return {
    caches,
    async fresh() {
      await renewOld();
      return grants;
    },
  };
}

function readGrants(text: string): Grants | undefined {
  try {
    return grantsSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function addressesOf({ get, head, put }: Grants["caches"][string]): PresignedCache {
  return {
    ...(get === undefined ? {} : { get: requestOf(get) }),
    ...(head === undefined ? {} : { head: requestOf(head) }),
    ...(put === undefined ? {} : { put: requestOf(put) }),
  };
}
