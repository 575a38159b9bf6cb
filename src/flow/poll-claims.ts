// The open claims as the poller knows them, and what they have used of the day. While it may have missed one, it is
// blind: nobody asks for more until the claims have been listed.

import type { Objects } from "../aws/objects.ts";
import type { PolledClaim } from "../core/poll-due.ts";
import { addUsage, noUsage } from "../core/poll-usage.ts";
import type { Usage } from "../core/poll-usage.ts";
import { openClaims } from "./open-claims.ts";

export interface PollClaims {
  all(): readonly PolledClaim[];
  running(): readonly PolledClaim[];
  /** One that we have just written ourselves. */
  add(claim: PolledClaim): void;
  isBlind(): boolean;
  /** A record may be there that we do not know of. */
  goBlind(): void;
  /** Lists them where that is due. Throws where S3 does not answer: then nobody asks. */
  refresh(): Promise<void>;
  /** When they are listed again; undefined while there are none. */
  dueAt(): number | undefined;
  usage(): Usage;
}

const listingMilliseconds = 5000;
const blindMilliseconds = 1000;

export function pollClaims(
  deps: { readonly objects: Pick<Objects, "list" | "read">; readonly now: () => number },
  known: Usage | undefined,
): PollClaims {
  const { objects, now } = deps;
  const open = openClaims(objects, now);
  let usage = known ?? noUsage(now());
  let listedAt = Number.NEGATIVE_INFINITY;
  let isBlind = true;
  const running = () => open.all().filter(({ phase }) => phase?.kind === "running");
  return {
    all: open.all,
    running,
    add: open.add,
    isBlind: () => isBlind,
    goBlind() {
      isBlind = true;
    },
    async refresh() {
      if (!isBlind && open.all().length === 0) return;
      if (now() - listedAt < (isBlind ? blindMilliseconds : listingMilliseconds)) return;
      listedAt = now();
      await open.refresh();
      isBlind = false;
      usage = addUsage(usage, running(), now());
    },
    dueAt: () => (open.all().length > 0 ? listedAt + listingMilliseconds : undefined),
    usage: () => usage,
  };
}
