// What object storage is to GitLab: another host (here, another port) that serves a file to whoever
// has its signed address, and refuses whoever brings other credentials along.

import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import type { IncomingMessage } from "node:http";
import type { Reply } from "./http/reply.ts";
import { send } from "./http/reply.ts";
import { listen } from "./listener.ts";
import type { Artifact } from "./model.ts";

export interface StorageRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<IncomingMessage["headers"]>;
  readonly status: number;
}

export interface Storage {
  readonly url: string;
  urlOf(artifact: Artifact): string;
  requests(): readonly StorageRequest[];
  close(): Promise<void>;
}

const validMilliseconds = 10 * 60 * 1000;
const maxRecorded = 1000;

export async function startStorage(options: {
  readonly listen: string;
  /** As clients name it in URLs. */
  readonly host: string;
  readonly now: () => number;
  /** Refuse GitLab's own tokens too, which real storage would only ignore. */
  readonly refuseTokens: boolean;
}): Promise<Storage> {
  const signed = new Map<string, { readonly artifact: Artifact; readonly until: number }>();
  const requests: StorageRequest[] = [];

  function answer(request: IncomingMessage): Reply {
    const { searchParams } = new URL(request.url ?? "/", "http://storage");
    const { headers } = request;
    const token = headers["job-token"] ?? headers["private-token"];
    if (headers.authorization !== undefined || (options.refuseTokens && token !== undefined)) {
      return problem(400, "InvalidArgument", "Only one auth mechanism allowed");
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      return problem(405, "MethodNotAllowed", "The specified method is not allowed");
    }
    const grant = signed.get(searchParams.get("X-Amz-Signature") ?? "");
    if (grant === undefined || grant.until < options.now()) {
      return problem(403, "AccessDenied", "Request has expired");
    }
    return {
      status: 200,
      headers: {
        "content-type": "application/octet-stream",
        "content-length": grant.artifact.size,
      },
      body: createReadStream(grant.artifact.file),
    };
  }

  const listener = await listen(options.listen, 0, (request, response) => {
    const reply = answer(request);
    requests.push({
      method: request.method ?? "",
      path: request.url ?? "",
      headers: request.headers,
      status: reply.status,
    });
    if (requests.length > maxRecorded) requests.shift();
    request.resume();
    send(response, reply, request.method !== "HEAD").catch(() => response.destroy());
  });
  const url = `http://${options.host}:${String(listener.port)}`;
  return {
    url,
    urlOf(artifact) {
      const signature = randomBytes(32).toString("hex");
      signed.set(signature, { artifact, until: options.now() + validMilliseconds });
      const name = encodeURIComponent(artifact.filename);
      return `${url}/artifacts/${name}?X-Amz-Expires=600&X-Amz-Signature=${signature}`;
    },
    requests: () => requests,
    close: () => listener.close(),
  };
}

function problem(status: number, code: string, message: string): Reply {
  return {
    status,
    headers: { "content-type": "application/xml" },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  };
}
