// One address for all of AWS: calls go to the fakes or to moto, each is kept to be looked at, and any of them can be
// delayed, refused, or cut before or after it has been done.

import { createServer, request as httpRequest } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Ecs } from "./ecs/ecs.ts";
import { EcsRefusal } from "./ecs/refusal.ts";
import { presignTrouble } from "./presign.ts";
import { readRequest } from "./request.ts";
import type { AwsRequest, RawRequest } from "./request.ts";

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer | string;
}

export interface FrontOptions {
  /** Where everything goes that no fake knows. None: it is answered 501. */
  readonly moto?: string;
  readonly ecs?: Ecs;
  /** undefined: not one of its functions. */
  readonly lambda?: (request: AwsRequest) => Promise<Answer> | undefined;
  /** What else is answered here. undefined: nothing of its own. */
  readonly memory?: (request: AwsRequest, raw: RawRequest) => Answer | undefined;
  /** @default 127.0.0.1 */
  readonly listen?: string;
  /** Ends the process with this session token. */
  readonly kill?: (session: string) => void;
  readonly now?: () => number;
}

export type FaultAction =
  | { readonly kind: "delay"; readonly milliseconds: number }
  /** It is done, and nobody hears of it. */
  | { readonly kind: "drop-answer" }
  /** The connection breaks before it is done. */
  | { readonly kind: "cut" }
  | { readonly kind: "fail"; readonly status: number; readonly type?: string }
  /** The caller's process ends. */
  | { readonly kind: "kill-before" }
  | { readonly kind: "kill-after" }
  /** Something of the test's happens before or after, and the call goes on. */
  | { readonly kind: "before"; readonly run: () => Promise<void> | void }
  | { readonly kind: "after"; readonly run: () => Promise<void> | void };

export interface Fault {
  readonly when: (request: AwsRequest) => boolean;
  readonly do: FaultAction;
  /** How often. @default 1 */
  readonly count?: number;
}

export interface Front {
  /** For AWS_ENDPOINT_URL. */
  readonly url: string;
  readonly port: number;
  readonly requests: readonly AwsRequest[];
  clearRequests(): void;
  /** Gives what takes it back; the first fault that fits is the one that happens. */
  addFault(fault: Fault): () => void;
  clearFaults(): void;
  close(): Promise<void>;
}

export async function startFront(options: FrontOptions): Promise<Front> {
  const now = options.now ?? Date.now;
  const requests: AwsRequest[] = [];
  const faults: { readonly fault: Fault; left: number }[] = [];
  const sockets = new Set<Socket>();

  const drawn = (request: AwsRequest): FaultAction | undefined => {
    const found = faults.find(({ fault, left }) => left > 0 && fault.when(request));
    if (found === undefined) return undefined;
    found.left--;
    return found.fault.do;
  };
  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const raw = await readRaw(incoming);
    const request = readRequest(raw, now());
    requests.push(request);
    const fault = drawn(request);
    const cut = () => {
      incoming.socket.destroy();
    };
    if (fault?.kind === "delay") await pause(fault.milliseconds);
    if (fault?.kind === "before") await fault.run();
    if (fault?.kind === "cut") return cut();
    if (fault?.kind === "kill-before") {
      options.kill?.(request.session);
      return cut();
    }
    const answer =
      fault?.kind === "fail" ? refused(fault, request) : await answerTo(options, raw, request);
    request.status = answer.status;
    if (fault?.kind === "kill-after") options.kill?.(request.session);
    if (fault?.kind === "after") await fault.run();
    if (fault?.kind === "drop-answer" || fault?.kind === "kill-after") return cut();
    outgoing.writeHead(answer.status, { ...answer.headers });
    outgoing.end(answer.body);
  };
  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch((cause: unknown) => {
      if (!outgoing.headersSent) outgoing.writeHead(500);
      outgoing.end(`the fake has failed: ${String(cause)}`);
    });
  });
  server.keepAliveTimeout = 60_000;
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  const host = options.listen ?? "127.0.0.1";
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${port}`,
    port,
    requests,
    clearRequests: () => {
      requests.length = 0;
    },
    addFault(fault) {
      const entry = { fault, left: fault.count ?? 1 };
      faults.push(entry);
      return () => {
        entry.left = 0;
      };
    },
    clearFaults: () => {
      faults.length = 0;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

async function answerTo(
  options: FrontOptions,
  raw: RawRequest,
  request: AwsRequest,
): Promise<Answer> {
  if (request.service === "ecs" && options.ecs !== undefined) {
    return ecsAnswer(options.ecs, request);
  }
  if (request.service === "lambda") {
    const answer = options.lambda?.(request);
    if (answer !== undefined) return await answer;
  }
  const trouble = presignTrouble(request, (options.now ?? Date.now)());
  if (trouble !== undefined) return { status: 403, body: trouble };
  const remembered = options.memory?.(request, raw);
  if (remembered !== undefined) return remembered;
  if (options.moto === undefined) {
    return { status: 501, body: `no fake answers ${request.service}:${request.action}` };
  }
  return await handOn(options.moto, raw);
}

function ecsAnswer(ecs: Ecs, request: AwsRequest): Answer {
  try {
    return json(200, ecs.call(request.action, request.body ?? {}));
  } catch (error) {
    if (!(error instanceof EcsRefusal)) throw error;
    const { type, message, fields, status } = error;
    return json(status, { __type: type, message, ...fields });
  }
}

function refused(
  { status, type }: { readonly status: number; readonly type?: string },
  request: AwsRequest,
): Answer {
  const name = type ?? (status >= 500 ? "InternalError" : "ThrottlingException");
  if (request.service === "s3") {
    const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${name}</Code><Message>drawn by the test</Message></Error>`;
    return { status, headers: { "content-type": "application/xml" }, body };
  }
  const answer = json(status, { __type: name, message: "drawn by the test" });
  return { ...answer, headers: { ...answer.headers, "x-amzn-errortype": name } };
}

function json(status: number, body: unknown): Answer {
  return {
    status,
    headers: { "content-type": "application/x-amz-json-1.1" },
    body: JSON.stringify(body),
  };
}

async function readRaw(incoming: IncomingMessage): Promise<RawRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const { method = "GET", url = "/", headers } = incoming;
  return { method, path: url, headers, bytes: Buffer.concat(chunks) };
}

function handOn(target: string, raw: RawRequest): Promise<Answer> {
  const to = new URL(target);
  const { expect: _, connection: __, ...headers } = raw.headers;
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        host: to.hostname,
        port: to.port,
        method: raw.method,
        path: raw.path,
        headers: { ...headers, host: to.host },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const { "transfer-encoding": _, connection: __, ...kept } = response.headers;
          resolve({
            status: response.statusCode ?? 502,
            headers: kept as Record<string, string | string[]>,
            body: Buffer.concat(chunks),
          });
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(raw.bytes);
  });
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
