// Git repositories over smart HTTP: a bridge from node:http to `git http-backend`, with Basic
// authentication, a record of what was asked, and a way to misbehave.

import { spawn } from "node:child_process";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface GitRequest {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
}

export interface GitServer {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  readonly requests: readonly GitRequest[];
  close(): Promise<void>;
}

export interface GitServerOptions {
  /** The folder that holds the bare repositories. */
  readonly root: string;
  /** Who may read; undefined: everybody. */
  readonly credentials?: { readonly user: string; readonly password: string };
  /** A status to refuse this request with, or to let it wait for ever. */
  readonly misbehave?: (request: GitRequest) => number | "hang" | undefined;
}

export async function startGitServer(options: GitServerOptions): Promise<GitServer> {
  const requests: GitRequest[] = [];
  const server = createServer((message, reply) => {
    const request = { path: message.url ?? "/", headers: message.headers };
    requests.push(request);
    const fault = options.misbehave?.(request);
    if (fault === "hang") return;
    if (fault !== undefined) reply.writeHead(fault).end();
    else if (mayRead(message, options)) serve(message, reply, options.root);
    else reply.writeHead(401, { "WWW-Authenticate": 'Basic realm="GitLab"' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${String(port)}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function mayRead(message: IncomingMessage, { credentials }: GitServerOptions): boolean {
  if (credentials === undefined) return true;
  const pair = Buffer.from(`${credentials.user}:${credentials.password}`).toString("base64");
  return message.headers.authorization === `Basic ${pair}`;
}

function serve(message: IncomingMessage, reply: ServerResponse, root: string): void {
  const url = new URL(message.url ?? "/", "http://host");
  const backend = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env["PATH"],
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: "*",
      GIT_PROTOCOL: header(message, "git-protocol"),
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: message.method,
      CONTENT_TYPE: header(message, "content-type"),
      HTTP_CONTENT_ENCODING: header(message, "content-encoding"),
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  message.pipe(backend.stdin);
  // Git may have hung up on us; the answer is then nobody's.
  backend.stdin.on("error", () => {});
  relay(backend.stdout, reply);
}

function header(message: IncomingMessage, name: string): string {
  return String(message.headers[name] ?? "");
}

/** CGI's header lines become the reply's, the rest its body. */
function relay(from: NodeJS.ReadableStream, reply: ServerResponse): void {
  let head: Buffer | undefined = Buffer.alloc(0);
  from.on("data", (chunk: Buffer) => {
    if (head === undefined) {
      reply.write(chunk);
      return;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    const lines = head.subarray(0, end).toString().split("\r\n");
    const fields = lines.map((line) => line.split(": ", 2) as [string, string]);
    const status = fields.find(([name]) => name === "Status")?.[1] ?? "200";
    reply.writeHead(
      Number.parseInt(status, 10),
      Object.fromEntries(fields.filter(([name]) => name !== "Status")),
    );
    reply.write(head.subarray(end + 4));
    head = undefined;
  });
  from.on("end", () => reply.end());
}
