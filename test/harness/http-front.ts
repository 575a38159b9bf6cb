// Something between a runner and its GitLab that answers in GitLab's place: a captive portal, a proxy's page,
// a broken cache. Hands on whatever it has no answer of its own for.

import { createServer, request } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { once } from "node:events";

export interface FalseAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpFront {
  readonly url: string;
  /** For the next requests like this ("PATCH /api/v4/jobs/1/trace"), one after the other. */
  answer(like: RegExp, ...answers: readonly (FalseAnswer | "no HTTP at all")[]): void;
  /** How many are still to be given. */
  readonly waiting: number;
  close(): Promise<void>;
}

export async function startHttpFront(target: string): Promise<HttpFront> {
  const queue: { like: RegExp; answer: FalseAnswer | "no HTTP at all" }[] = [];
  const server = createServer((incoming, outgoing) => {
    const line = `${incoming.method} ${incoming.url}`;
    const index = queue.findIndex(({ like }) => like.test(line));
    const found = queue[index];
    if (found === undefined) return handOn(target, incoming, outgoing);
    queue.splice(index, 1);
    if (found.answer === "no HTTP at all") {
      return void incoming.socket.end("220 mail.example.com ESMTP\r\nrubbish\0\xff\r\n");
    }
    incoming.resume();
    const { status, headers = {}, body = "" } = found.answer;
    outgoing.writeHead(status, headers).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    answer(like, ...answers) {
      queue.push(...answers.map((answer) => ({ like, answer })));
    },
    get waiting() {
      return queue.length;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function handOn(target: string, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { method, headers, url = "/" } = incoming;
  const onward = request(new URL(url, target), { method, headers }, (reply) => {
    outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
    reply.pipe(outgoing);
  });
  onward.on("error", () => outgoing.destroy());
  outgoing.on("close", () => onward.destroy());
  incoming.pipe(onward);
}
