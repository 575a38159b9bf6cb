import { spawn } from "node:child_process";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { jobToken, newClient } from "./new-client.ts";
import { builtSources } from "../harness/built.ts";
import { replyJson, serve, serveRaw } from "./http-server.ts";

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const update = { jobId: 1, token: jobToken, state: "running" } as const;
const patch = { jobId: 1, token: jobToken, bytes: Buffer.from("line\n"), offset: 0 };

test.each([408, 429, 500, 502, 503, 504, 512, 599])(
  "C26 HTTP %i is tried five times in all, and the last answer handed up",
  async (status) => {
    const gitlab = await serve((_, response) => response.writeHead(status).end());
    const { client, waits } = newClient({ url: gitlab.url });

    expect(await client.requestJob()).toMatchObject({ kind: "unavailable", status });
    expect(gitlab.seen).toHaveLength(5);
    expect(waits).toEqual([0.1, 0.2, 0.4, 0.8]);
  },
);

test.each([400, 401, 403, 404, 409, 422, 501, 505, 511])(
  "C26 HTTP %i is not tried again",
  async (status) => {
    const gitlab = await serve((_, response) => response.writeHead(status).end());
    const { client } = newClient({ url: gitlab.url });

    await client.requestJob();
    expect(gitlab.seen).toHaveLength(1);
  },
);

test("C26 a cut connection is not tried again", async () => {
  const gitlab = await serve((_, response) => response.destroy());
  const { client, waits } = newClient({ url: gitlab.url });

  const replies = [
    await client.requestJob(),
    await client.updateJob(update),
    await client.patchTrace(patch),
  ];

  for (const reply of replies) {
    expect(reply).toMatchObject({
      kind: "unavailable",
      status: undefined,
      message: expect.stringContaining("was cut before the answer was complete"),
    });
  }
  expect(gitlab.seen).toHaveLength(3);
  expect(waits).toEqual([]);
});

test("C26 every attempt sends the whole body and the same request id again", async () => {
  const gitlab = await serve((_, response) =>
    gitlab.seen.length < 3 ? response.writeHead(500).end("oops") : response.writeHead(202).end(),
  );
  const { client } = newClient({ url: gitlab.url });

  expect(await client.patchTrace(patch)).toMatchObject({ kind: "accepted", nextOffset: 5 });
  expect(gitlab.seen.map((call) => call.text)).toEqual(["line\n", "line\n", "line\n"]);
  expect(new Set(gitlab.seen.map((call) => call.headers["x-request-id"])).size).toBe(1);
});

test("C27 RateLimit-ResetTime beats Retry-After", async () => {
  const headers = {
    "RateLimit-ResetTime": "Tue, 01 Jan 2030 00:00:20 GMT",
    "Retry-After": "60",
  };
  const gitlab = await serve((_, response) =>
    gitlab.seen.length === 1
      ? response.writeHead(429, headers).end()
      : response.writeHead(204).end(),
  );
  const { client, waits } = newClient({ url: gitlab.url });

  expect(await client.requestJob()).toMatchObject({ kind: "none" });
  expect(waits).toEqual([20]);
});

test("a wait longer than allowed is handed up, with the time that GitLab asked for", async () => {
  const gitlab = await serve((_, response) =>
    response.writeHead(429, { "Retry-After": "60" }).end(),
  );
  const { client, waits } = newClient({ url: gitlab.url, longestRetryWaitSeconds: 10 });

  expect(await client.requestJob()).toMatchObject({
    kind: "unavailable",
    status: 429,
    retryAfterSeconds: 60,
  });
  expect(gitlab.seen).toHaveLength(1);
  expect(waits).toEqual([]);
});

test("calls one after the other share one connection, whatever the answers were", async () => {
  const statuses = [200, 500, 200, 403, 404, 412, 409, 202];
  const gitlab = await serve((_, response) => {
    replyJson(response, statuses.shift() ?? 200, { message: "x".repeat(5000) });
  });
  const { client } = newClient({ url: gitlab.url });

  for (let call = 0; call < 20; call++) {
    await client.updateJob(update);
    await client.patchTrace(patch);
  }
  expect(gitlab.seen).toHaveLength(41);
  expect(gitlab.connections()).toBe(1);
});

test("calls at the same time do not wait for each other", async () => {
  const waiting: (() => void)[] = [];
  const gitlab = await serve((_, response) => {
    waiting.push(() => response.writeHead(200).end());
    if (waiting.length === 3) for (const answer of waiting) answer();
  });
  const { client } = newClient({ url: gitlab.url });

  const replies = await Promise.all([1, 2, 3].map(() => client.updateJob(update)));
  expect(replies.map((reply) => reply.kind)).toEqual(["ok", "ok", "ok"]);
});

test("a connection that the server closed while it was idle is replaced", async () => {
  const gitlab = await serve((_, response, request) => {
    response.writeHead(200).end();
    response.once("close", () => request.socket.end());
  });
  const { client } = newClient({ url: gitlab.url });

  for (let call = 0; call < 5; call++) {
    expect(await client.updateJob(update)).toMatchObject({ kind: "ok" });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(gitlab.connections()).toBe(5);
});

test("a connection is not used past its greatest age", async () => {
  const gitlab = await serve((_, response) => response.writeHead(200).end());
  const { client } = newClient({ url: gitlab.url, timeouts: { connectionMaxAgeSeconds: 0.5 } });

  await client.updateJob(update);
  await client.updateJob(update);
  expect(gitlab.connections()).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 600));
  await client.updateJob(update);
  expect(gitlab.connections()).toBe(2);
});

test("a server that takes the request and never answers is given up after the header timeout", async () => {
  const url = await serveRaw(() => undefined);
  const { client } = newClient({ url, timeouts: { responseHeaderSeconds: 0.2 } });

  expect(await client.updateJob(update)).toMatchObject({
    kind: "unavailable",
    message: expect.stringContaining("did not answer in time"),
  });
});

test("an answer that stops halfway is given up", async () => {
  const url = await serveRaw((socket) => {
    socket.once("data", () => {
      socket.write("HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n");
      socket.write('Content-Length: 100\r\n\r\n{"id":');
    });
  });
  const { client } = newClient({ url, timeouts: { responseHeaderSeconds: 0.2 } });

  expect(await client.requestJob()).toMatchObject({
    kind: "unavailable",
    message: expect.stringContaining("fell silent"),
  });
});

test("an answer that is cut halfway is no job", async () => {
  const url = await serveRaw((socket) => {
    socket.once("data", () => {
      socket.write("HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n");
      socket.end('Content-Length: 100\r\n\r\n{"id":1,"token":"t"}');
    });
  });
  const { client } = newClient({ url });

  expect(await client.requestJob()).toMatchObject({
    kind: "unavailable",
    message: expect.stringContaining("was cut"),
  });
});

test("an answer that trickles for longer than a call may take is given up", async () => {
  const url = await serveRaw((socket) => {
    socket.once("data", () => {
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      const drip = setInterval(() => socket.write("1\r\nx\r\n"), 10);
      socket.once("close", () => clearInterval(drip));
    });
  });
  const { client } = newClient({ url, timeouts: { totalSeconds: 0.15 } });

  expect(await client.updateJob(update)).toMatchObject({
    kind: "unavailable",
    message: expect.stringContaining("took too long"),
  });
});

test("an answer in small pieces is put together byte by byte", async () => {
  const text = '{"id":1,"token":"t","é":"日本"}';
  const gitlab = await serve(async (_, response) => {
    response.writeHead(201, { "Content-Type": "application/json" });
    for (const byte of Buffer.from(text)) {
      response.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    response.end();
  });
  const { client } = newClient({ url: gitlab.url });

  expect(await client.requestJob()).toMatchObject({ kind: "job", raw: text });
});

test.each([
  ["bytes that are no HTTP", "SSH-2.0-OpenSSH_9.6\r\n"],
  ["an HTTP answer that goes wrong", "HTTP/1.1 banana\r\n\r\n"],
])("%s are said to be no HTTP", async (_, bytes) => {
  const url = await serveRaw((socket) => socket.once("data", () => socket.end(bytes)));
  const { client } = newClient({ url });

  expect(await client.requestJob()).toMatchObject({
    kind: "unavailable",
    message: expect.stringContaining("does not answer in HTTP"),
  });
});

test("a port where nothing listens is said so", async () => {
  const port = await freePort();
  const { client } = newClient({ url: `http://127.0.0.1:${port}` });

  expect(await client.requestJob()).toMatchObject({
    kind: "unavailable",
    message: `127.0.0.1:${port} refuses the connection: nothing listens there; check the URL.`,
  });
});

test("a host name that does not exist is said so", async () => {
  const { client } = newClient({ url: "http://gitlab.invalid" });

  expect(await client.requestJob()).toMatchObject({
    kind: "unavailable",
    message: expect.stringMatching(
      /^The host name of gitlab\.invalid:80 (is unknown|could not be)/,
    ),
  });
});

test("close ends what is under way and answers later calls with nothing", async () => {
  const gitlab = await serve(() => undefined);
  const { client } = newClient({ url: gitlab.url });

  const poll = client.requestJob();
  while (gitlab.seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await client.close();

  const closed = { kind: "unavailable", message: expect.stringContaining("the client is closed") };
  expect(await poll).toMatchObject(closed);
  expect(await client.requestJob()).toMatchObject(closed);
  expect(gitlab.seen).toHaveLength(1);
});

test("close ends a wait before a retry", async () => {
  const gitlab = await serve((_, response) =>
    response.writeHead(429, { "Retry-After": "3000" }).end(),
  );
  const { client } = newClient({
    url: gitlab.url,
    sleep: (_, signal) =>
      new Promise((resolve) => {
        signal?.addEventListener("abort", () => resolve());
        setImmediate(() => void client.close());
      }),
  });

  expect(await client.requestJob()).toMatchObject({
    kind: "unavailable",
    message: expect.stringContaining("the client is closed"),
  });
});

test.each(["close", "do not close"])(
  "a process that is done with a client ends by itself (%s)",
  async (ending) => {
    const gitlab = await serve((_, response) => response.writeHead(204).end());
    const program = `
      import { Secret } from "./core/secret.js";
      import { createGitLabClient } from "./gitlab/client.js";
      import { runnerInfo } from "./gitlab/info.js";
      const info = runnerInfo({ version: "1", executor: "process", shell: "sh" });
      const token = new Secret("glrt-x");
      const client = createGitLabClient({ url: "${gitlab.url}", token, systemId: "s_0", info });
      console.log((await client.requestJob()).kind);
      ${ending === "close" ? "await client.close();" : ""}
    `;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
      stdio: ["ignore", "pipe", "inherit"],
      cwd: await builtSources(),
    });
    let output = "";
    let done = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      done = Date.now();
    });
    const code = await new Promise((resolve) => {
      child.once("close", resolve);
    });
    expect({ code, output }).toEqual({ code: 0, output: "none\n" });
    expect(Date.now() - done).toBeLessThan(5000);
  },
);
