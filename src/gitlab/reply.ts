// What a reply says, read from its status, headers and text. Pure, and forgiving: a header that
// makes no sense counts as absent.

import type * as z from "zod";
import { problemSchema, replyHeader } from "./wire.ts";

export interface Reply {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly text: string;
  readonly correlationId: string;
}

/** Nothing came back that could be acted on: no answer, or one that only says "not now". */
export interface Unavailable {
  readonly kind: "unavailable";
  readonly status: number | undefined;
  readonly message: string;
  /** How long GitLab asks us to stay away. */
  readonly retryAfterSeconds: number | undefined;
  readonly cause: unknown;
}

export type Decoded<T> =
  | { readonly kind: "value"; readonly value: T }
  | { readonly kind: "unreadable"; readonly message: string };

/** The body of a success that must be JSON. Anything but exactly `application/json` is no success. */
export function decodeJson<T extends z.ZodType>(reply: Reply, schema: T): Decoded<z.output<T>> {
  const type = mimeType(reply.header(replyHeader.contentType));
  if (type !== "application/json") {
    const found = type === "" ? "nothing" : JSON.stringify(type.slice(0, 60));
    return {
      kind: "unreadable",
      message: `GitLab's answer (HTTP ${reply.status}) should be application/json and calls itself ${found}: see that the URL leads to GitLab itself and not to a page before it`,
    };
  }
  const parsed = parseJsonText(reply.text);
  if (parsed === undefined) {
    return {
      kind: "unreadable",
      message: `GitLab's answer (HTTP ${reply.status}) is not valid JSON`,
    };
  }
  const checked = schema.safeParse(parsed.value);
  if (checked.success) return { kind: "value", value: checked.data };
  const places = checked.error.issues.map((issue) => issue.path.join(".") || "(all of it)");
  return {
    kind: "unreadable",
    message: `GitLab's answer (HTTP ${reply.status}) lacks or misstates: ${places.join(", ")}`,
  };
}

export function mimeType(contentType: string | undefined): string {
  return (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

function parseJsonText(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** The reason within a refusal, in one line: GitLab's JSON, or the XML of an object storage. */
export function refusalText(reply: Reply): string {
  const said =
    jsonProblem(reply.text) ??
    xmlProblem(reply.text) ??
    plainProblem(reply.text, reply.header(replyHeader.contentType));
  const status = `HTTP ${reply.status}`;
  return said === "" ? status : `${status}: ${said}`;
}

function jsonProblem(text: string): string | undefined {
  const parsed = parseJsonText(text);
  const problem = problemSchema.safeParse(parsed?.value);
  if (!problem.success) return undefined;
  const { message, error, error_description: description } = problem.data;
  if (typeof message === "string" && message !== "") return oneLine(message);
  if (typeof message === "object" && message !== null) {
    return oneLine(
      Object.entries(message)
        .map(([field, complaints]) => `${field} ${[complaints].flat().map(String).join(", ")}`)
        .join("; "),
    );
  }
  const rest = [error, description].filter((part) => part).join(": ");
  return rest === "" ? undefined : oneLine(rest);
}

function xmlProblem(text: string): string | undefined {
  if (!/<Error[\s>]/.test(text.slice(0, 1000))) return undefined;
  const code = /<Code>([^<]*)<\/Code>/.exec(text)?.[1] ?? "";
  const message = /<Message>([^<]*)<\/Message>/.exec(text)?.[1] ?? "";
  return oneLine([code, message].filter((part) => part !== "").join(": "));
}

/** Only short plain text is worth showing: an HTML page says nothing in one line. */
function plainProblem(text: string, contentType: string | undefined): string {
  return mimeType(contentType) === "text/plain" ? oneLine(text) : "";
}

function oneLine(text: string): string {
  const line = text.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, " ").trim();
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}

/** What GitLab says of the job in every reply to a job's call, whatever its status. */
export interface JobNews {
  /** `Job-Status` as sent: running, canceling, canceled, failed, … */
  readonly jobStatus: string | undefined;
  /** `X-GitLab-Trace-Update-Interval`, unless it is nonsense. */
  readonly intervalSeconds: number | undefined;
}

export function jobNews(reply: Reply): JobNews {
  return {
    jobStatus: reply.header(replyHeader.jobStatus) || undefined,
    intervalSeconds: updateIntervalSeconds(reply.header(replyHeader.updateInterval)),
  };
}

export const noNews: JobNews = { jobStatus: undefined, intervalSeconds: undefined };

/** GitLab's answer to an update: nothing, or the status once more; or JSON, which no page for people is. */
export function isBareStatus(reply: Reply): boolean {
  const type = mimeType(reply.header(replyHeader.contentType));
  return type === "application/json" || /^\s*"?(?:\d{3}|null)?"?\s*$/.test(reply.text);
}

/** The job is over for GitLab: whoever runs it must stop at once. */
export function isOver(jobStatus: string | undefined): boolean {
  return jobStatus === "canceled" || jobStatus === "failed";
}

const longestIntervalSeconds = 15 * 60;

export function updateIntervalSeconds(header: string | undefined): number | undefined {
  if (header === undefined || !/^\d{1,15}$/.test(header)) return undefined;
  const seconds = Number(header);
  return seconds > 0 ? Math.min(seconds, longestIntervalSeconds) : undefined;
}

/** `Range: 0-<size>` of a 416: how much of the trace GitLab has. Undefined where it does not say. */
export function traceSize(header: string | undefined): number | undefined {
  const [, size] = /^[^-]*-(\d{1,15})$/.exec(header ?? "") ?? [];
  return size === undefined ? undefined : Number(size);
}
