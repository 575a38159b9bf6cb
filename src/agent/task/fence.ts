// Before the first line of user script: who may run it? Storage lets one PUT make the object `started`, and refuses all
// others. Whoever is refused, or cannot find out, runs nothing. An answer that was lost may have been a yes: then the
// next try is refused by our own object, and what it holds says so.

import { startedSchema } from "../../core/hand-off.ts";
import type { Grants, Started } from "../../core/hand-off.ts";
import type { Address, Storage } from "./storage.ts";

export interface FenceTools {
  readonly storage: Storage;
  readonly grants: () => Promise<Grants>;
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly diagnostic: (text: string) => void;
}

const patienceMilliseconds = 30_000;
const firstPauseMilliseconds = 250;
const longestPauseMilliseconds = 4000;

/** Whether this agent may go on. */
export async function passFence(tools: FenceTools, own: Started): Promise<boolean> {
  const { storage, now, sleep, diagnostic } = tools;
  const until = now() + patienceMilliseconds;
  let unanswered = false;
  for (let pause = firstPauseMilliseconds; ; pause = longer(pause)) {
    const grants = await tools.grants();
    const reply = await storage.write(grants.started, JSON.stringify(own));
    if (reply.kind === "done") return true;
    const status = reply.kind === "missing" ? 404 : reply.status;
    if (status === 412) {
      if (unanswered) return await isOurs(tools, grants.startedBy, own, until);
      diagnostic("another attempt of this job has begun: nothing is run");
      return false;
    }
    // An error of the storage's own may come after it has written.
    unanswered ||= status === undefined || status >= 500;
    if (now() + pause > until) {
      const why = reply.kind === "missing" ? "there is no such bucket" : reply.message;
      diagnostic(`nobody could say that this attempt may run the job: nothing is run (${why})`);
      return false;
    }
    await sleep(pause);
  }
}

/** Whether what stands in our way is our own. */
async function isOurs(
  tools: FenceTools,
  address: Address | undefined,
  own: Started,
  until: number,
): Promise<boolean> {
  const { storage, now, sleep, diagnostic } = tools;
  for (let pause = firstPauseMilliseconds; address !== undefined; pause = longer(pause)) {
    const reply = await storage.read(address);
    if (reply.kind === "text") {
      const isOwn = nonceOf(reply.text) === own.nonce;
      if (!isOwn) diagnostic("another attempt of this job has begun: nothing is run");
      return isOwn;
    }
    if (reply.kind === "missing" || now() + pause > until) break;
    await sleep(pause);
  }
  diagnostic("whether this attempt may run the job could not be found out: nothing is run");
  return false;
}

function nonceOf(text: string): string | undefined {
  try {
    return startedSchema.safeParse(JSON.parse(text)).data?.nonce;
  } catch {
    return undefined;
  }
}

function longer(pause: number): number {
  return Math.min(pause * 2, longestPauseMilliseconds);
}
