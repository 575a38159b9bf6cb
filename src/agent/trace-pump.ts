// Carries the spool to GitLab while the job runs, and hears from it: cancel, abort, how often to send.
// In the end it sends what is left and the result, and repeats both until GitLab has confirmed.

import type { FailureReason } from "../core/failure-reason.ts";
import type { Secret } from "../core/secret.ts";
import {
  beginFinal,
  contactIsDue,
  finalRetrySeconds,
  nextPatch,
  onContact,
  onPatchReply,
  openWindow,
  orderOf,
  rewind,
  traceOutput,
} from "../core/trace.ts";
import type { JobNews, JobOrder } from "../core/trace.ts";
import type { GitLabClient } from "../gitlab/client.ts";
import type { Timeouts } from "../gitlab/connections.ts";
import type { Spool } from "./spool.ts";

/**
 * For the pump's own client. Its calls are short and safe to repeat, and a cancel is heard only in their
 * answers: a connection that has died without a word must not keep it from us for long.
 */
export const pumpTimeouts: Partial<Timeouts> = {
  totalSeconds: 120,
  responseHeaderSeconds: 30,
};

export interface FinalState {
  readonly state: "success" | "failed";
  readonly failureReason?: FailureReason | undefined;
  readonly exitCode?: number | undefined;
}

export type Delivery =
  /** GitLab has the whole trace and the result. */
  | { readonly kind: "confirmed" }
  /** GitLab has ended the job itself (canceled, dropped, erased) and wants no more of it. */
  | { readonly kind: "refused" }
  /** Nobody answered for as long as we tried. */
  | { readonly kind: "undelivered"; readonly message: string };

export interface TracePumpInput {
  readonly gitlab: Pick<GitLabClient, "patchTrace" | "updateJob">;
  readonly jobId: number;
  readonly token: Secret;
  readonly spool: Spool;
  /** So many of the spool's first bytes GitLab has from somebody else. */
  readonly inherited?: number;
  readonly debugTrace: boolean;
  /** Whole final updates tried before giving up. */
  readonly finalAttempts: number;
  /** Hears what GitLab wants of the job: to be canceled gracefully, or to stop at once. */
  readonly onOrder: (order: JobOrder) => void;
  readonly now: () => number;
  /** Resolves early when the signal aborts. */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

export interface TracePump {
  /** Sends the rest, then the result. Ends the sending in the background. */
  finish(final: FinalState): Promise<Delivery>;
  /** Sends the rest as far as it goes, and no result. Ends the sending in the background. */
  abandon(): Promise<void>;
  /** Sends nothing any more, whatever is asked for later. */
  silence(): void;
}

type Sent = "sent" | "resend" | "failed" | "aborted";

/** Begins to send in the background. */
export function startTracePump(input: TracePumpInput): TracePump {
  const { gitlab, jobId, token, spool, now, sleep } = input;
  const closing = new AbortController();
  let window = openWindow(now(), input.inherited);
  let aborted = false;
  let silenced = false;

  const obey = (order: JobOrder) => {
    if (order === "go-on" || aborted) return;
    aborted = order === "abort";
    input.onOrder(order);
  };
  const totals = () => traceOutput(window, spool.crc, spool.size);

  /** Sends the next bytes, if there are any. */
  async function patch(): Promise<Sent> {
    const next = nextPatch(window, spool.size);
    if (next === undefined) return "sent";
    const bytes = spool.read(next.from, next.to - next.from);
    const reply = await gitlab.patchTrace({
      jobId,
      token,
      bytes,
      offset: next.offset,
      debugTrace: input.debugTrace,
    });
    const after = onPatchReply(window, next, reply, now(), spool.size);
    window = after.window;
    obey(after.order);
    return aborted ? "aborted" : after.outcome;
  }

  async function keepAlive() {
    const reply = await gitlab.updateJob({ jobId, token, state: "running", ...totals() });
    if (reply.kind === "refused") return obey("abort");
    if (reply.kind !== "unavailable") window = onContact(window, news(reply), now());
    obey(orderOf(reply.jobStatus));
  }

  async function pump() {
    while (!aborted) {
      await sleep(window.intervalSeconds * 1000, closing.signal);
      if (closing.signal.aborted) return;
      const sent = await patch();
      if (sent === "sent" && contactIsDue(window.lastContact, now())) await keepAlive();
    }
  }

  /** Everything that is left, over and over until GitLab has it or does not answer. */
  async function sendRest(): Promise<Sent> {
    while (window.sent < spool.size) {
      const sent = await patch();
      if (sent === "aborted" || sent === "failed") return sent;
      if (sent === "resend") await sleep(window.intervalSeconds * 1000);
    }
    return "sent";
  }

  async function finalUpdate(final: FinalState): Promise<Delivery | "again"> {
    for (;;) {
      const rest = await sendRest();
      if (rest === "aborted") return { kind: "refused" };
      if (rest === "failed") return "again";
      const reply = await gitlab.updateJob({ jobId, token, ...final, ...totals() });
      switch (reply.kind) {
        case "ok":
          return { kind: "confirmed" };
        case "accepted":
          await sleep(reply.retryAfterSeconds * 1000);
          break;
        case "mismatch":
          window = rewind(window);
          break;
        case "refused":
          return { kind: "refused" };
        case "invalid":
        case "conflict":
        case "unavailable":
          return "again";
      }
    }
  }

  const background = pump();
  const settle = async () => {
    closing.abort();
    await background;
    window = beginFinal(window);
  };
  return {
    async abandon() {
      await settle();
      if (!aborted) await sendRest();
    },
    silence() {
      aborted = true;
      silenced = true;
      closing.abort();
    },
    async finish(final) {
      await settle();
      if (silenced) return { kind: "undelivered", message: "GitLab is told nothing any more" };
      for (let failures = 0; failures < input.finalAttempts; failures++) {
        if (aborted) return { kind: "refused" };
        if (failures > 0) await sleep(finalRetrySeconds(failures) * 1000);
        const delivery = await finalUpdate(final);
        if (delivery !== "again") return delivery;
      }
      return {
        kind: "undelivered",
        message: `GitLab did not take the result of job ${jobId} in ${input.finalAttempts} tries`,
      };
    },
  };
}

function news(reply: JobNews): JobNews {
  return { jobStatus: reply.jobStatus, intervalSeconds: reply.intervalSeconds };
}
