import { expect, test } from "vitest";
import { newClient, runnerToken } from "./new-client.ts";
import { replyJson, serve } from "./http-server.ts";

test("a request carries the runner's token, info, system id and headers as the protocol has them", async () => {
  const gitlab = await serve((_, response) => response.writeHead(204).end());
  const { client } = newClient({ url: `${gitlab.url}/ci/` });

  await client.requestJob();

  const [call] = gitlab.seen;
  expect(call?.method).toBe("POST");
  expect(call?.path).toBe("/api/v4/jobs/request");
  expect(call?.headers).toMatchObject({
    accept: "application/json",
    "content-type": "application/json",
    "runner-token": runnerToken.reveal(),
    "x-request-id": expect.stringMatching(/^[0-9a-f]{32}$/),
    "user-agent": expect.stringMatching(/^gitlab-burst 1\.2\.3 \(node .*; linux\/amd64\)$/),
  });
  expect(call?.headers).not.toHaveProperty("job-token");
  const body = JSON.parse(call?.text ?? "");
  expect(body).toMatchObject({
    token: runnerToken.reveal(),
    system_id: "s_0123456789ab",
    info: { name: "gitlab-burst", version: "1.2.3", executor: "process", config: { gpus: "" } },
  });
  expect(body).not.toHaveProperty("last_update");
});

test("a job comes with its exact body text, id, token and the correlation id of the reply", async () => {
  const text = '{ "id": 42,\n "token": "glcbt-job", "unknown": {"é": [null]} }';
  const gitlab = await serve((_, response) => {
    response.writeHead(201, {
      "Content-Type": "application/json; charset=utf-8",
      "X-Request-Id": "from-the-server",
      "X-GitLab-Last-Update": "queue-1",
    });
    response.end(text);
  });
  const { client } = newClient({ url: gitlab.url });

  const reply = await client.requestJob();

  expect(reply).toMatchObject({
    kind: "job",
    raw: text,
    payload: { id: 42, unknown: { é: [null] } },
    jobId: 42,
    correlationId: "from-the-server",
    lastUpdate: "queue-1",
  });
  expect(reply.kind === "job" && reply.token.reveal()).toBe("glcbt-job");
});

test("a job whose payload is nonsense still has an owner as long as id and token are there", async () => {
  const gitlab = await serve((_, response) =>
    replyJson(response, 201, { id: 7, token: "t", steps: "no list", variables: 3 }),
  );
  const { client } = newClient({ url: gitlab.url });

  expect(await client.requestJob()).toMatchObject({ kind: "job", jobId: 7 });
});

test("C29 Last-Update is echoed, and kept when a reply has none", async () => {
  const values = ["queue-1", undefined, "", "queue-2", undefined];
  const gitlab = await serve((_, response) => {
    const value = values.shift();
    response.writeHead(204, value === undefined ? {} : { "X-GitLab-Last-Update": value }).end();
  });
  const { client } = newClient({ url: gitlab.url });

  const replies = [];
  for (let call = 0; call < 5; call++) replies.push(await client.requestJob());

  expect(gitlab.seen.map((call) => JSON.parse(call.text).last_update)).toEqual([
    undefined,
    "queue-1",
    "queue-1",
    "queue-1",
    "queue-2",
  ]);
  expect(replies.at(-1)).toEqual({ kind: "none", lastUpdate: "queue-2" });
});

test("C29 Last-Update of any JSON reply counts, not only of job requests", async () => {
  const gitlab = await serve((call, response) => {
    if (call.method === "PUT") response.setHeader("X-GitLab-Last-Update", "from-put");
    response.writeHead(call.method === "PUT" ? 200 : 204).end();
  });
  const { client } = newClient({ url: gitlab.url });

  await client.updateJob({ jobId: 1, token: runnerToken, state: "running" });
  await client.requestJob();

  expect(JSON.parse(gitlab.seen[1]?.text ?? "").last_update).toBe("from-put");
});

test("a caller may name the queue value itself, or ask for no long poll", async () => {
  const gitlab = await serve((_, response) =>
    response.writeHead(204, { "X-GitLab-Last-Update": "remembered" }).end(),
  );
  const { client } = newClient({ url: gitlab.url });

  await client.requestJob({ lastUpdate: "from-a-store" });
  await client.requestJob({ longPoll: false });
  await client.requestJob();

  expect(gitlab.seen.map((call) => JSON.parse(call.text).last_update)).toEqual([
    "from-a-store",
    undefined,
    "remembered",
  ]);
});

test.each([
  [204, "", { kind: "none" }],
  [409, "", { kind: "conflict" }],
  [403, '{"message":"403 Forbidden"}', { kind: "forbidden" }],
  [400, '{"message":{"token":["is missing"]}}', { kind: "rejected", status: 400 }],
  [404, "", { kind: "rejected", status: 404 }],
  [413, "", { kind: "rejected", status: 413 }],
  [422, '{"message":"Runner is orphaned"}', { kind: "rejected", status: 422 }],
  [200, "{}", { kind: "unavailable", status: 200 }],
  [501, "", { kind: "unavailable", status: 501 }],
  [503, "", { kind: "unavailable", status: 503 }],
])("HTTP %i is read for what it means", async (status, text, outcome) => {
  const gitlab = await serve((_, response) =>
    response.writeHead(status, { "Content-Type": "application/json" }).end(text),
  );
  const { client } = newClient({ url: gitlab.url });

  expect(await client.requestJob()).toMatchObject(outcome);
});

test.each([
  ["HTML that calls itself HTML", "text/html", "<html>login</html>", "application/json"],
  ["JSON that calls itself text", "text/plain", '{"id":1,"token":"t"}', "application/json"],
  ["JSON that calls itself nothing", "", '{"id":1,"token":"t"}', "application/json"],
  ["half a JSON text", "application/json", '{"id":1,"tok', "not valid JSON"],
  ["no id", "application/json", '{"token":"t"}', "id"],
  ["an empty token", "application/json", '{"id":1,"token":""}', "token"],
  ["null", "application/json", "null", "lacks"],
  ["nothing at all", "application/json", "", "not valid JSON"],
])("a 201 with %s is no job, and said in one sentence", async (_, type, text, said) => {
  const gitlab = await serve((_, response) =>
    response.writeHead(201, type === "" ? {} : { "Content-Type": type }).end(text),
  );
  const { client } = newClient({ url: gitlab.url });

  const reply = await client.requestJob();

  expect(reply).toMatchObject({ kind: "unavailable", status: 201 });
  expect(reply.kind === "unavailable" && reply.message).toContain(said);
});

test("a URL that redirects is named with the address that should be configured", async () => {
  const gitlab = await serve((_, response) =>
    response.writeHead(301, { Location: "https://gitlab.example.com/api/v4/jobs/request" }).end(),
  );
  const { client } = newClient({ url: gitlab.url });

  const reply = await client.requestJob();

  expect(reply).toMatchObject({ kind: "rejected", status: 301 });
  expect(reply.kind === "rejected" && reply.message).toContain("https://gitlab.example.com");
});

test("a token that the server repeats in its refusal is not in the message", async () => {
  const gitlab = await serve((_, response) =>
    replyJson(response, 403, { message: `token ${runnerToken.reveal()} is not known` }),
  );
  const { client } = newClient({ url: gitlab.url });

  const reply = await client.requestJob();

  expect(JSON.stringify(reply)).not.toContain(runnerToken.reveal());
  expect(reply.kind === "forbidden" && reply.message).toContain("[masked] is not known");
});

test("a long poll that the caller gives up ends at once", async () => {
  const gitlab = await serve(() => undefined);
  const { client } = newClient({ url: gitlab.url });
  const stop = new AbortController();

  const reply = client.requestJob({ signal: stop.signal });
  while (gitlab.seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();

  expect(await reply).toMatchObject({
    kind: "unavailable",
    message: expect.stringMatching("given up"),
  });
});

test("without a token a job cannot be asked for, and that is said", async () => {
  const { client } = newClient({ url: "http://127.0.0.1:1", token: undefined });

  await expect(client.requestJob()).rejects.toThrow("needs the runner's token");
});
