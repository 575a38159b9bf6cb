// A stand-in for one test, and the plainest client there is: raw HTTP, so that no code of the
// runner can hide what the stand-in does.

import { onTestFinished } from "vitest";
import type { StandInOptions } from "../../src/stand-in/start.ts";
import { startStandIn } from "../../src/stand-in/start.ts";
import type { StandIn } from "../../src/stand-in/stand-in.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined when it is none. */
  readonly json: unknown;
}

export interface TestGitLab {
  readonly standIn: StandIn;
  /** Moves the stand-in's clock, where the test made it one of its own. */
  readonly clock: { now: number };
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** With the API token. */
  rest(method: string, path: string, json?: unknown): Promise<Answer>;
  requestJob(extra?: Record<string, unknown>): Promise<Answer>;
  /** Asks for a job and fails the test when there is none. */
  claim(extra?: Record<string, unknown>): Promise<ClaimedJob>;
  put(job: { id: number; token: string }, body: Record<string, unknown>): Promise<Answer>;
  patch(
    job: { id: number; token: string },
    start: number | undefined,
    text: string | Uint8Array,
  ): Promise<Answer>;
  upload(
    job: { id: number; token: string },
    file: { readonly name?: string; readonly bytes: string | Uint8Array },
    query?: Record<string, string>,
  ): Promise<Answer>;
}

export interface CallOptions {
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array | FormData;
  readonly json?: unknown;
}

export interface ClaimedJob {
  readonly id: number;
  readonly token: string;
  readonly [field: string]: unknown;
}

export const allFeatures = {
  upload_multiple_artifacts: true,
  artifacts_exclude: true,
  multi_build_steps: true,
  return_exit_code: true,
  fallback_cache_keys: true,
  vault_secrets: true,
  refspecs: true,
  cancel_gracefully: true,
};

export const systemId = "s_0123456789ab";

const start = Date.UTC(2026, 0, 2, 3, 4, 5);

/** Options as of startStandIn; `clock: true` gives it a clock that only the test moves. */
export async function gitLab(
  options: StandInOptions & { readonly clock?: boolean } = {},
): Promise<TestGitLab> {
  const { clock: fixed, ...rest } = options;
  const clock = { now: start };
  const standIn = await startStandIn({
    ...rest,
    ...(fixed === true ? { now: () => clock.now } : {}),
  });
  onTestFinished(() => standIn.close());

  async function call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const url = path.startsWith("http") ? path : standIn.url + path;
    const { json } = options;
    const body = json === undefined ? options.body : JSON.stringify(json);
    const response = await fetch(url, {
      method,
      redirect: "manual",
      headers: {
        ...(json === undefined ? {} : { "content-type": "application/json" }),
        ...options.headers,
      },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parse(text) };
  }

  const requestJob: TestGitLab["requestJob"] = (extra = {}) =>
    call("POST", "/api/v4/jobs/request", {
      json: {
        token: standIn.runnerToken,
        system_id: systemId,
        info: { name: "test", executor: "process", features: allFeatures },
        ...extra,
      },
    });

  return {
    standIn,
    clock,
    call,
    requestJob,
    rest: (method, path, json) =>
      call(method, `/api/v4${path}`, {
        headers: { "private-token": standIn.apiToken },
        ...(json === undefined ? {} : { json }),
      }),
    claim: async (extra) => {
      const answer = await requestJob(extra);
      if (answer.status !== 201) throw new Error(`no job: ${String(answer.status)} ${answer.text}`);
      return claimed(answer.json);
    },
    put: (job, body) =>
      call("PUT", `/api/v4/jobs/${String(job.id)}`, { json: { token: job.token, ...body } }),
    patch: (job, start, body) => {
      const size = Buffer.byteLength(body);
      const range: Record<string, string> =
        start === undefined
          ? {}
          : { "content-range": `${String(start)}-${String(start + size - 1)}` };
      return call("PATCH", `/api/v4/jobs/${String(job.id)}/trace`, {
        headers: { "job-token": job.token, "content-type": "text/plain", ...range },
        body,
      });
    },
    upload: (job, file, query = {}) => {
      const form = new FormData();
      form.append("file", new Blob([file.bytes]), file.name ?? "artifacts.zip");
      const search = new URLSearchParams(query).toString();
      return call("POST", `/api/v4/jobs/${String(job.id)}/artifacts?${search}`, {
        headers: { "job-token": job.token },
        body: form,
      });
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function claimed(value: unknown): ClaimedJob {
  const { id, token, ...rest } = record(value);
  if (typeof id !== "number" || typeof token !== "string") throw new Error("this is no job");
  return { ...rest, id, token };
}

export function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

export function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map(record) : [];
}
