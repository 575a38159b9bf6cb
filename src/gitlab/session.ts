// What all calls of one client share: where GitLab is, who we are, and how JSON goes there and back.

import { SettingsError } from "../core/errors.ts";
import type { Secret } from "../core/secret.ts";
import type { RunnerInfo } from "./info.ts";
import { refusalText, type Reply, type Unavailable } from "./reply.ts";
import type { Exchange, NoReply, Transport } from "./transport.ts";
import { replyHeader } from "./wire.ts";
import { isRetryable, retryAfterSeconds } from "./retry.ts";

export interface Session {
  /** `<url>/api/v4/` */
  readonly api: URL;
  readonly transport: Transport;
  readonly info: RunnerInfo;
  readonly systemId: string;
  /** The runner's token, where there is one yet. */
  readonly token: Secret | undefined;
  /** Resolves early when the signal aborts. */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  /** The last queue value that GitLab sent for these credentials. */
  lastUpdate: string | undefined;
}

export interface JsonCall {
  readonly method: "POST" | "PUT" | "DELETE";
  /** Below `/api/v4/`. */
  readonly path: string;
  readonly body?: unknown;
  /** Headers that carry tokens. */
  readonly tokens?: Readonly<Record<string, Secret>>;
  /** Every token in the call, wherever it stands: none may show in a message. */
  readonly secrets: readonly Secret[];
  readonly expectsJson: boolean;
  readonly signal?: AbortSignal | undefined;
}

export async function sendJson(session: Session, call: JsonCall): Promise<Exchange> {
  const headers: Record<string, string> = {};
  if (call.body !== undefined) headers["Content-Type"] = "application/json";
  if (call.expectsJson) headers["Accept"] = "application/json";
  for (const [name, token] of Object.entries(call.tokens ?? {})) headers[name] = token.reveal();
  const text = JSON.stringify(call.body);
  const exchange = await session.transport.exchange({
    method: call.method,
    url: new URL(call.path, session.api),
    headers,
    ...(call.body === undefined ? {} : { body: () => text }),
    signal: call.signal,
    secrets: call.secrets,
  });
  if (exchange.kind === "reply") {
    session.lastUpdate = exchange.reply.header(replyHeader.lastUpdate) || session.lastUpdate;
  }
  return exchange;
}

export function requireToken(session: Session): Secret {
  if (session.token === undefined) {
    throw new SettingsError("This call needs the runner's token, and the client was given none.");
  }
  return session.token;
}

export function noAnswer(nothing: NoReply): Unavailable {
  return {
    kind: "unavailable",
    status: undefined,
    message: nothing.message,
    retryAfterSeconds: undefined,
    cause: nothing.cause,
  };
}

/** An answer that is no use now: an overloaded or broken GitLab, or something that is not GitLab. */
export function unusable(reply: Reply, message = statusSentence(reply)): Unavailable {
  return {
    kind: "unavailable",
    status: reply.status,
    message,
    retryAfterSeconds: retryAfterSeconds(reply.header(replyHeader.retryAfter)),
    cause: undefined,
  };
}

/** GitLab says no, and would again. */
export interface Rejected {
  readonly kind: "rejected";
  readonly status: number;
  readonly message: string;
}

/** For a status that the call has no meaning of its own for. */
export function rejection(reply: Reply, explanation?: string): Rejected | Unavailable {
  if (isPassing(reply.status)) return unusable(reply);
  const message =
    explanation === undefined ? statusSentence(reply) : `${explanation} (${refusalText(reply)})`;
  return { kind: "rejected", status: reply.status, message };
}

export function statusSentence(reply: Reply): string {
  const location = reply.header(replyHeader.location);
  if (reply.status >= 300 && reply.status < 400 && location !== undefined) {
    return `GitLab's URL leads on to ${originOf(location)} (HTTP ${reply.status}): configure that address as the URL.`;
  }
  return `GitLab answered ${refusalText(reply)}`;
}

/** Whether the same call may well succeed later: server trouble, or a success that should not be one. */
function isPassing(status: number): boolean {
  return status < 300 || isRetryable(status) || status >= 500;
}

function originOf(location: string): string {
  try {
    return new URL(location).origin;
  } catch {
    return "another path";
  }
}
