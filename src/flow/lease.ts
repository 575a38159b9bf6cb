// Holding the poller's lease: taken when it is free, renewed while we poll, given back at the end with what the next
// poller must know. Losing it is no error: it means that somebody else polls.

import type { Objects } from "../aws/objects.ts";
import { holderOf, leaseTimes, noNotes, readLease, worthWaiting } from "../core/lease.ts";
import type { LeaseNotes, LeaseRecord } from "../core/lease.ts";
import { stateKeys } from "../core/state-keys.ts";

export interface LeaseDeps {
  readonly objects: Pick<Objects, "read" | "create" | "replace">;
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

export interface LeaseWish {
  /** Tells one poller from every other. */
  readonly holder: string;
  /** When it will ask for jobs for the last time, if it begins now. */
  readonly endsAt: () => number;
  /** How long another that is about to end may be waited for. */
  readonly patienceMilliseconds: number;
}

export type TakenLease =
  | { readonly kind: "taken"; readonly lease: Lease }
  | { readonly kind: "held"; readonly holder: string };

export interface Lease {
  /** What the last poller left. */
  readonly notes: LeaseNotes;
  /** When we ask for jobs for the last time. */
  readonly endsAt: number;
  /** Whether we may still ask for jobs. */
  isHeld(): boolean;
  /** When it has to be renewed. */
  renewAt(): number;
  /** Throws where the bucket cannot be reached: it is ours for a while all the same. */
  renew(notes: LeaseNotes): Promise<void>;
  giveBack(notes: LeaseNotes): Promise<void>;
}

/** Between two looks at a lease that is about to be given back. */
const lookMilliseconds = 1000;

export async function takeLease(deps: LeaseDeps, wish: LeaseWish): Promise<TakenLease> {
  const began = deps.now();
  for (;;) {
    const stored = await deps.objects.read(stateKeys.lease);
    const now = deps.now();
    const holder = stored === undefined ? undefined : holderOf(stored.body, now);
    if (holder === undefined) {
      const lease = await tryTake(deps, wish, stored);
      if (lease !== undefined) return { kind: "taken", lease };
      continue;
    }
    const patience = began + wish.patienceMilliseconds - now;
    if (patience <= 0 || worthWaiting(holder, now, patience) === undefined) {
      return { kind: "held", holder: holder.holder };
    }
    await deps.sleep(lookMilliseconds);
  }
}

type Stored = Awaited<ReturnType<Objects["read"]>>;

/** undefined: somebody was faster. */
async function tryTake(
  deps: LeaseDeps,
  wish: LeaseWish,
  stored: Stored,
): Promise<Lease | undefined> {
  const known = stored === undefined ? undefined : readLease(stored.body);
  const notes: LeaseNotes = known ?? noNotes;
  const record = write(deps, wish.holder, wish.endsAt(), notes);
  const body = JSON.stringify(record);
  const written =
    stored === undefined
      ? await deps.objects.create(stateKeys.lease, body)
      : await deps.objects.replace(stateKeys.lease, body, stored.etag);
  const etag = written.kind === "written" ? written.etag : (await readOwn(deps, wish))?.etag;
  return etag === undefined ? undefined : hold(deps, wish, { record, etag });
}

function write(
  deps: LeaseDeps,
  holder: string,
  endsAt: number,
  { health, usage, left }: LeaseNotes,
): LeaseRecord {
  return {
    version: 1,
    holder,
    expiresAt: deps.now() + leaseTimes.lifeMilliseconds,
    endsAt,
    left,
    health,
    ...(usage === undefined ? {} : { usage }),
  };
}

/** The answer to a first try may be lost, and the next one then meets our own writing. */
async function readOwn(deps: LeaseDeps, wish: LeaseWish): Promise<Stored> {
  const stored = await deps.objects.read(stateKeys.lease);
  const record = stored === undefined ? undefined : readLease(stored.body);
  return record?.holder === wish.holder ? stored : undefined;
}

function hold(
  deps: LeaseDeps,
  wish: LeaseWish,
  taken: { readonly record: LeaseRecord; readonly etag: string },
): Lease {
  let { record, etag } = taken;
  const { endsAt } = record;
  let lost = false;
  const put = async (next: LeaseRecord) => {
    const body = JSON.stringify(next);
    let written = await deps.objects.replace(stateKeys.lease, body, etag);
    if (written.kind === "changed") {
      const own = await readOwn(deps, wish);
      if (own !== undefined) {
        written = await deps.objects.replace(stateKeys.lease, body, own.etag);
      }
    }
    if (written.kind === "changed") {
      lost = true;
      return;
    }
    ({ etag } = written);
    record = next;
  };
  return {
    notes: taken.record,
    endsAt,
    isHeld: () => !lost && deps.now() < record.expiresAt - leaseTimes.marginMilliseconds,
    renewAt: () => record.expiresAt - leaseTimes.lifeMilliseconds + leaseTimes.renewMilliseconds,
    async renew(notes) {
      if (!lost) await put(write(deps, wish.holder, endsAt, notes));
    },
    async giveBack(notes) {
      if (!lost) await put({ ...write(deps, "", endsAt, notes), expiresAt: deps.now() });
    },
  };
}
