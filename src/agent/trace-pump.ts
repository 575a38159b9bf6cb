// Carries the spool to GitLab while the job runs, and hears from it: cancel, abort, how often to send.
// In the end it sends what is left and the result, and repeats both until GitLab has confirmed.

import type { Secret } from "../core/secret.ts";
import type { FailureReason } from "../core/failure-reason.ts";
import type { GitLabClient } from "../gitlab/client.ts";
import type { Spool } from "./spool.ts";

/** What GitLab wants of a running job. */
export type Order = "cancel-gracefully" | "abort";

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
  readonly debugTrace: boolean;
  /** Whole final updates tried before giving up. */
  readonly finalAttempts: number;
  readonly onOrder: (order: Order) => void;
  readonly now: () => number;
  /** Resolves early when the signal aborts. */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

export interface TracePump {
  /** Sends the rest, then the result. Ends the sending in the background. */
  finish(final: FinalState): Promise<Delivery>;
  /** Sends the rest as far as it goes, and no result. Ends the sending in the background. */
  abandon(): Promise<void>;
}

const initialIntervalSeconds = 3;
const maxPatchBytes = 1024 * 1024;
const contactIsDue = (last: number, now: number) => now - last > 30_000;
const formatChecksum = (crc: number) => `crc32:${crc.toString(16).padStart(8, "0")}`;

type Sent = "sent" | "mismatch" | "failed" | "aborted";

/** Begins to send in the background. */
export function startTracePump(input: TracePumpInput): TracePump {
  const { gitlab, jobId, token, spool, now, sleep } = input;
  const closing = new AbortController();
  let offset = 0;
  let interval = initialIntervalSeconds;
  let lastContact = now();
  let order: Order | undefined;

  const obey = (next: Order) => {
    if (order === next || order === "abort") return;
    order = next;
    input.onOrder(next);
  };
  const hear = (jobStatus: string | undefined) => {
    if (jobStatus === "canceled" || jobStatus === "failed") obey("abort");
    if (jobStatus === "canceling") obey("cancel-gracefully");
  };
  const totals = () => ({ checksum: formatChecksum(spool.crc), bytesize: spool.size });

  async function patch(): Promise<Sent> {
    const bytes = spool.read(offset, maxPatchBytes);
    if (bytes.length === 0) return "sent";
    const debugTrace = input.debugTrace;
    const reply = await gitlab.patchTrace({ jobId, token, bytes, offset, debugTrace });
    switch (reply.kind) {
      case "accepted":
        offset += bytes.length;
        interval = reply.intervalSeconds ?? interval;
        lastContact = now();
        hear(reply.jobStatus);
        return order === "abort" ? "aborted" : "sent";
      case "rangeMismatch":
        // Never past our own end: a server that claims more than we wrote is read from its claim on.
        offset = Math.min(reply.size ?? 0, spool.size);
        lastContact = now();
        hear(reply.jobStatus);
        return order === "abort" ? "aborted" : "mismatch";
      case "aborted":
        obey("abort");
        return "aborted";
      case "unavailable":
        return "failed";
    }
  }

  async function keepAlive() {
    const reply = await gitlab.updateJob({ jobId, token, state: "running", ...totals() });
    if (reply.kind === "refused") return obey("abort");
    if (reply.kind !== "unavailable") lastContact = now();
    hear(reply.jobStatus);
  }

  async function pump() {
    while (!closing.signal.aborted) {
      await sleep(interval * 1000, closing.signal);
      if (closing.signal.aborted) return;
      const sent = await patch();
      if (sent === "aborted") return;
      if (sent === "sent" && contactIsDue(lastContact, now())) await keepAlive();
      if (order === "abort") return;
    }
  }

  async function sendRest(): Promise<Sent> {
    while (offset < spool.size) {
      const sent = await patch();
      if (sent === "aborted" || sent === "failed") return sent;
      if (sent === "mismatch") await sleep(interval * 1000);
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
          interval = reply.retryAfterSeconds;
          await sleep(interval * 1000);
          break;
        case "mismatch":
          offset = 0;
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
  return {
    async abandon() {
      closing.abort();
      await background;
      if (order !== "abort") await sendRest();
    },
    async finish(final) {
      closing.abort();
      await background;
      interval = initialIntervalSeconds;
      if (order === "abort") return { kind: "refused" };
      for (let attempt = 0; attempt < input.finalAttempts; attempt++) {
        if (attempt > 0) await sleep(Math.min(2 ** (attempt - 1), 3600) * 1000);
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
