// What a no-op job cannot do without, and nothing else: the HTTP calls of its life, made by hand on
// connections kept open, and `sh -c true`. No runner, no git process, no filter.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { crc32 } from "node:zlib";
import { Agent, request } from "undici";
import type { RawJob } from "../src/stand-in/raw-job.ts";
import type { StandIn } from "../src/stand-in/stand-in.ts";
import { checkJob, now } from "./burst-run.ts";

export interface BareCalls {
  /** Enqueues a job and does all that it needs. Resolves to the milliseconds of it. */
  run(raw: RawJob, trace: Uint8Array): Promise<number>;
  close(): Promise<void>;
}

interface Payload {
  readonly id: number;
  readonly token: string;
  readonly git_info: { readonly repo_url: string; readonly sha: string };
  readonly variables: readonly { readonly key: string; readonly value: string }[];
}

export function bareCalls(gitlab: StandIn): BareCalls {
  const dispatcher = new Agent({ connections: 16 });
  const api = `${gitlab.url}/api/v4`;

  async function call(options: {
    readonly method: "GET" | "POST" | "PUT" | "PATCH";
    readonly url: string;
    readonly status: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string | Uint8Array;
  }): Promise<Buffer> {
    const { method, url, status, headers = {}, body = null } = options;
    const reply = await request(url, { method, headers, body, dispatcher });
    const bytes = Buffer.from(await reply.body.arrayBuffer());
    if (reply.statusCode !== status) throw new Error(`${method} ${url}: ${reply.statusCode}`);
    return bytes;
  }
  const send = (method: "POST" | "PUT", path: string, status: number, body: unknown) =>
    call({
      method,
      url: `${api}/${path}`,
      status,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });

  /** As git fetches one commit into an empty repository: refused, let in, the refs, the pack. */
  async function fetchCommit({ git_info: { repo_url, sha } }: Payload): Promise<void> {
    const url = new URL(repo_url);
    const credentials = Buffer.from(`${url.username}:${url.password}`).toString("base64");
    const bare = `${url.origin}${url.pathname}`;
    const headers = { authorization: `Basic ${credentials}`, "git-protocol": "version=2" };
    const discover = `${bare}/info/refs?service=git-upload-pack`;
    await call({ method: "GET", url: discover, status: 401 });
    await call({ method: "GET", url: discover, status: 200, headers });
    const post = (lines: readonly string[]) =>
      call({
        method: "POST",
        url: `${bare}/git-upload-pack`,
        status: 200,
        headers: { ...headers, "content-type": "application/x-git-upload-pack-request" },
        body: lines.map(packetLine).join(""),
      });
    await post(["command=ls-refs\n", delimiter, "peel\n", "symrefs\n", flush]);
    const pack = await post([
      "command=fetch",
      delimiter,
      "ofs-delta\n",
      "deepen 20\n",
      `want ${sha}\n`,
      "done\n",
      flush,
    ]);
    if (!pack.includes("PACK")) throw new Error("the stand-in has sent no pack");
  }

  return {
    async run(raw, trace) {
      const begin = now();
      await gitlab.enqueue(raw);
      const claimed = await send("POST", "jobs/request", 201, { token: gitlab.runnerToken });
      const job = JSON.parse(claimed.toString()) as Payload;
      const { id, token } = job;
      await send("PUT", `jobs/${id}`, 200, { token, state: "running" });
      const strategy = job.variables.find(({ key }) => key === "GIT_STRATEGY")?.value;
      if (strategy !== "none") await fetchCommit(job);
      const shell = spawn("sh", ["-c", "true"], { stdio: "ignore" });
      await once(shell, "close");
      await call({
        method: "PATCH",
        url: `${api}/jobs/${id}/trace`,
        status: 202,
        headers: {
          "job-token": token,
          "content-type": "text/plain",
          "content-range": `0-${trace.length - 1}`,
        },
        body: trace,
      });
      const checksum = `crc32:${crc32(trace).toString(16).padStart(8, "0")}`;
      const output = { checksum, bytesize: trace.length };
      await send("PUT", `jobs/${id}`, 200, { token, state: "success", output });
      const took = now() - begin;
      checkJob(gitlab.job(id));
      return took;
    },
    close: () => dispatcher.close(),
  };
}

const flush = "0000";
const delimiter = "0001";

function packetLine(text: string): string {
  if (text === flush || text === delimiter) return text;
  return `${(text.length + 4).toString(16).padStart(4, "0")}${text}`;
}
