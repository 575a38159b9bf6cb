// All claims there are, as the poller sees them: a listing (strongly consistent on S3), and of each record what decides
// whether it is due. A record is read again only when it has changed.

import type { Objects } from "../aws/objects.ts";
import { claimSchema, formatClaimId } from "../core/claim.ts";
import type { ClaimId } from "../core/claim.ts";
import type { PolledClaim } from "../core/poll-due.ts";
import { claimOfKey, stateKeys } from "../core/state-keys.ts";

export interface OpenClaims {
  all(): readonly PolledClaim[];
  /** One that we have just written ourselves. */
  add(claim: PolledClaim): void;
  refresh(): Promise<void>;
}

interface Seen {
  readonly claim: PolledClaim;
  /** What the listing said of it, for a record that was read. */
  readonly stamp: string;
  /** When it was added by ourselves: an older listing does not know it. */
  readonly addedAt: number;
}

/** A listing tells whole seconds: within them a record may change unseen. */
const settledMilliseconds = 2000;
const readsAtOnce = 16;

export function openClaims(objects: Pick<Objects, "list" | "read">, now: () => number): OpenClaims {
  let seen = new Map<string, Seen>();
  return {
    all: () => [...seen.values()].map(({ claim }) => claim),
    add(claim) {
      seen.set(claim.name, { claim, stamp: "", addedAt: now() });
    },
    async refresh() {
      const began = now();
      const listed = await objects.list(stateKeys.claims);
      const next = new Map<string, Seen>();
      const toRead: { readonly key: string; readonly id: ClaimId; readonly stamp: string }[] = [];
      for (const { key, modifiedAt, bytes } of listed) {
        const id = claimOfKey(key);
        if (id === undefined) continue;
        const fresh = began - modifiedAt < settledMilliseconds;
        const stamp = fresh ? "" : `${modifiedAt} ${bytes}`;
        const known = seen.get(formatClaimId(id));
        if (stamp !== "" && known?.stamp === stamp) next.set(known.claim.name, known);
        else toRead.push({ key, id, stamp });
      }
      for (let start = 0; start < toRead.length; start += readsAtOnce) {
        const some = toRead.slice(start, start + readsAtOnce);
        await Promise.all(
          some.map(async ({ key, id, stamp }) => {
            const stored = await objects.read(key);
            if (stored === undefined) return;
            const claim = polled(id, stored.body, stored.modifiedAt);
            next.set(claim.name, { claim, stamp, addedAt: 0 });
          }),
        );
      }
      for (const [name, entry] of seen) {
        if (entry.addedAt >= began && !next.has(name)) next.set(name, entry);
      }
      seen = next;
    },
  };
}

function polled(id: ClaimId, body: string, modifiedAt: number): PolledClaim {
  const { runner, cpuUnits } = id;
  const parsed = claimSchema.safeParse(parseText(body));
  const name = formatClaimId(id);
  if (!parsed.success) return { name, runner, cpuUnits, claimedAt: modifiedAt, phase: undefined };
  const { claimedAt, phase } = parsed.data;
  return { name, runner, cpuUnits, claimedAt, phase };
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
