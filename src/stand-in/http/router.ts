// Which handler answers a method and a path. Patterns are written `/api/v4/jobs/:id/trace`; a
// captured segment is decoded only after the split, so `root%2Fhello` is one segment.

import type { Exchange } from "./exchange.ts";
import type { Reply } from "./reply.ts";
import { invalid } from "./reply.ts";

export type Handler = (exchange: Exchange) => Reply | Promise<Reply>;

export interface Route {
  readonly method: string;
  readonly pattern: string;
  readonly handler: Handler;
}

export type Routed =
  | {
      readonly kind: "route";
      readonly handler: Handler;
      readonly captured: Readonly<Record<string, string>>;
    }
  | { readonly kind: "none"; readonly reply: Reply };

export function route(routes: readonly Route[], method: string, path: string): Routed {
  const allowed: string[] = [];
  for (const candidate of routes) {
    const captured = match(candidate.pattern, path);
    if (captured === undefined) continue;
    if (candidate.method === method || (candidate.method === "GET" && method === "HEAD")) {
      return { kind: "route", handler: candidate.handler, captured };
    }
    allowed.push(candidate.method);
  }
  if (allowed.length === 0) return { kind: "none", reply: invalid(404, "404 Not Found") };
  const reply = invalid(405, "405 Not Allowed");
  return {
    kind: "none",
    reply: { ...reply, headers: { ...reply.headers, allow: allowed.join(", ") } },
  };
}

function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split("/");
  const given = path.replace(/(?<=.)\/+$/, "").split("/");
  if (wanted.length !== given.length) return undefined;
  const captured: Record<string, string> = {};
  for (const [index, want] of wanted.entries()) {
    const got = given[index] ?? "";
    if (!want.startsWith(":")) {
      if (want !== got) return undefined;
      continue;
    }
    const decoded = decode(got);
    if (decoded === undefined || decoded === "") return undefined;
    captured[want.slice(1)] = decoded;
  }
  return captured;
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
