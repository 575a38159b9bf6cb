// One request as handlers see it, its body and its parameters. GitLab takes parameters from the
// query, from JSON and from forms alike, and refuses what it cannot parse.

import type { IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import type { PartHeader } from "./multipart.ts";
import { multipartBoundary, readMultipart } from "./multipart.ts";
import type { Reply } from "./reply.ts";
import { invalid, refuse } from "./reply.ts";

export interface Exchange {
  readonly method: string;
  /** As it came: percent-encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly input: Readable;
  /** Aborted when the client has gone or the server closes. */
  readonly gone: AbortSignal;
  /** What the router took out of the path, decoded. */
  readonly captured: Readonly<Record<string, string>>;
  /** Shown every body that is read whole, for the list of recorded requests. */
  readonly onBody: (body: Buffer) => void;
}

export type Params = Readonly<Record<string, unknown>>;

export type ReadBody =
  | { readonly kind: "body"; readonly bytes: Buffer }
  | { readonly kind: "refused"; readonly reply: Reply };

export type ReadParams =
  | { readonly kind: "params"; readonly params: Params }
  | { readonly kind: "refused"; readonly reply: Reply };

export async function readBody(exchange: Exchange, limitBytes: number): Promise<ReadBody> {
  const chunks: Buffer[] = [];
  let size = 0;
  // What is left of a refused body is drained elsewhere, so that its sender can read the refusal.
  for await (const chunk of exchange.input.iterator({ destroyOnReturn: false })) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size > limitBytes) {
      return { kind: "refused", reply: refuse(413, "", { connection: "close" }) };
    }
    chunks.push(bytes);
  }
  const bytes = Buffer.concat(chunks);
  exchange.onBody(bytes);
  return { kind: "body", bytes };
}

const formLimitBytes = 1024 * 1024;

/** Query and body together; the body wins. */
export async function readParams(
  exchange: Exchange,
  limitBytes = formLimitBytes,
): Promise<ReadParams> {
  const read = await readBody(exchange, limitBytes);
  if (read.kind === "refused") return read;
  const fromQuery = Object.fromEntries(exchange.query);
  if (read.bytes.length === 0) return { kind: "params", params: fromQuery };
  const parsed = await parseForm(exchange.headers["content-type"], read.bytes);
  if (parsed.kind === "refused") return parsed;
  return { kind: "params", params: { ...fromQuery, ...parsed.params } };
}

async function parseForm(contentType: string | undefined, bytes: Buffer): Promise<ReadParams> {
  switch (mimeType(contentType)) {
    case "application/json":
      return parseJson(bytes);
    case "application/x-www-form-urlencoded":
      return {
        kind: "params",
        params: Object.fromEntries(new URLSearchParams(bytes.toString("utf8"))),
      };
    case "multipart/form-data":
      return parseMultipart(contentType, bytes);
    case "text/plain":
      // Known to GitLab, but it takes no parameters out of it.
      return { kind: "params", params: {} };
    default:
      return { kind: "refused", reply: unsupported(contentType) };
  }
}

/** Without parameters, in lower case; empty when there is none. */
export function mimeType(contentType: string | undefined): string {
  return (contentType ?? "").replace(/;.*/s, "").trim().toLowerCase();
}

/** A body of a type GitLab has no parser for, or of none at all. */
export function unsupported(contentType: string | undefined): Reply {
  return invalid(415, `The provided content-type '${contentType ?? ""}' is not supported.`);
}

function parseJson(bytes: Buffer): ReadParams {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8"));
  } catch {
    return { kind: "refused", reply: invalid(400, "message body does not match declared format") };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { kind: "refused", reply: invalid(400, "the message body is not a JSON object") };
  }
  return { kind: "params", params: { ...value } };
}

async function parseMultipart(contentType: string | undefined, bytes: Buffer): Promise<ReadParams> {
  const boundary = multipartBoundary(contentType);
  if (boundary === undefined) {
    return { kind: "refused", reply: invalid(400, "multipart/form-data names no boundary") };
  }
  const fields: Record<string, string> = {};
  const outcome = await readMultipart(Readable.from([bytes]), boundary, (header) =>
    fieldSink(header, fields),
  );
  if (outcome.kind === "malformed") {
    return { kind: "refused", reply: invalid(400, outcome.message) };
  }
  return { kind: "params", params: fields };
}

function fieldSink(header: PartHeader, fields: Record<string, string>) {
  const chunks: Buffer[] = [];
  return {
    write(bytes: Buffer) {
      chunks.push(bytes);
      return true;
    },
    end() {
      fields[header.name] = Buffer.concat(chunks).toString("utf8");
    },
  };
}
