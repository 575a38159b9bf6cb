import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { ArtifactUpload } from "../../src/gitlab/upload-artifact.ts";
import { forLocalhost, testCa } from "./certificates.ts";
import { replyJson, serve } from "./http-server.ts";
import { jobToken, newClient } from "./new-client.ts";

function upload(more: Partial<ArtifactUpload> = {}): ArtifactUpload {
  return {
    jobId: 42,
    token: jobToken,
    filename: "artifacts.zip",
    async *content() {
      yield Buffer.from("one");
      yield Buffer.from("two");
    },
    ...more,
  };
}

/** The one part of a multipart body: its headers and its content. */
function onlyPart(contentType: string | undefined, body: string) {
  const boundary = /^multipart\/form-data; boundary=(.+)$/.exec(contentType ?? "")?.[1] ?? "none";
  expect(body.startsWith(`--${boundary}\r\n`)).toBe(true);
  expect(body.endsWith(`\r\n--${boundary}--\r\n`)).toBe(true);
  const inner = body.slice(boundary.length + 4, -(boundary.length + 8));
  const split = inner.indexOf("\r\n\r\n");
  return { headers: inner.slice(0, split), content: inner.slice(split + 4) };
}

test("C30 an upload is one part `file`, chunked, with JOB-TOKEN, and queries only where given", async () => {
  const gitlab = await serve((_, response) => replyJson(response, 201, {}));
  const { client } = newClient({ url: gitlab.url });

  expect(
    await client.uploadArtifact(
      upload({ expireIn: "1 week", artifactFormat: "gzip", artifactType: "junit" }),
    ),
  ).toEqual({ kind: "uploaded" });
  await client.uploadArtifact(upload({ expireIn: "", artifactFormat: "" }));

  const [call, plain] = gitlab.seen;
  expect(call).toMatchObject({ method: "POST", path: "/api/v4/jobs/42/artifacts" });
  expect(call?.headers).toMatchObject({
    "job-token": jobToken.reveal(),
    "transfer-encoding": "chunked",
  });
  expect(Object.fromEntries(call?.query ?? [])).toEqual({
    expire_in: "1 week",
    artifact_format: "gzip",
    artifact_type: "junit",
  });
  expect([...(plain?.query ?? [])]).toEqual([]);
  const part = onlyPart(call?.headers["content-type"], call?.text ?? "");
  expect(part.headers).toContain('name="file"; filename="artifacts.zip"');
  expect(part.content).toBe("onetwo");
});

test("a file name cannot break out of its header", async () => {
  const gitlab = await serve((_, response) => response.writeHead(201).end());
  const { client } = newClient({ url: gitlab.url });

  await client.uploadArtifact(upload({ filename: 'a"; name="token"\r\nX-Evil: 1\\é.zip' }));

  const [call] = gitlab.seen;
  const part = onlyPart(call?.headers["content-type"], call?.text ?? "");
  expect(Buffer.from(part.headers, "latin1").toString().split("\r\n")).toEqual([
    'Content-Disposition: form-data; name="file"; filename="a\\"; name=\\"token\\"%0D%0AX-Evil: 1\\\\é.zip"',
    "Content-Type: application/octet-stream",
  ]);
});

test("every attempt makes the content anew", async () => {
  const statuses = [502, 400, 201];
  const gitlab = await serve((_, response) => response.writeHead(statuses.shift() ?? 201).end());
  const { client, waits } = newClient({ url: gitlab.url });
  const retries: string[] = [];

  const reply = await client.uploadArtifact(upload({ onRetry: (text) => retries.push(text) }));

  expect(reply).toEqual({ kind: "uploaded" });
  expect(
    gitlab.seen.map((call) => onlyPart(call.headers["content-type"], call.text).content),
  ).toEqual(["onetwo", "onetwo", "onetwo"]);
  expect(waits).toEqual([0.1, 1]);
  expect(retries).toEqual(["GitLab answered HTTP 400"]);
});

test.each([
  [403, "forbidden"],
  [413, "tooLarge"],
])("HTTP %i is final", async (status, kind) => {
  const gitlab = await serve((_, response) => replyJson(response, status, { message: "no" }));
  const { client } = newClient({ url: gitlab.url });

  expect(await client.uploadArtifact(upload())).toEqual({ kind, message: `HTTP ${status}: no` });
  expect(gitlab.seen).toHaveLength(1);
});

test.each([
  [400, 3, [1, 2]],
  [405, 3, [1, 2]],
  [501, 3, [1, 2]],
])("HTTP %i is tried %i times", async (status, tries, expected) => {
  const gitlab = await serve((_, response) => response.writeHead(status).end());
  const { client, waits } = newClient({ url: gitlab.url });

  expect(await client.uploadArtifact(upload())).toMatchObject({ kind: "failed", status });
  expect(gitlab.seen).toHaveLength(tries);
  expect(waits).toEqual(expected);
});

test("HTTP 503 is tried six times, each with its HTTP-level retries", async () => {
  const gitlab = await serve((_, response) => response.writeHead(503).end());
  const { client, waits } = newClient({ url: gitlab.url });

  expect(await client.uploadArtifact(upload())).toMatchObject({ kind: "failed", status: 503 });
  expect(gitlab.seen).toHaveLength(30);
  expect(waits.filter((seconds) => seconds >= 1)).toEqual([1, 2, 4, 5, 5]);
});

test("a cut connection is tried three times", async () => {
  const gitlab = await serve((_, response) => response.destroy());
  const { client } = newClient({ url: gitlab.url });

  expect(await client.uploadArtifact(upload())).toMatchObject({
    kind: "failed",
    status: undefined,
    message: expect.stringContaining("was cut"),
  });
  expect(gitlab.seen).toHaveLength(3);
});

test("a 307 sends the same upload, with the token, to the GitLab that it names", async () => {
  const primary = await serve((_, response) => response.writeHead(201).end());
  const gitlab = await serve((_, response) =>
    response.writeHead(307, { Location: `${primary.url}/api/v4/ignored?x=1` }).end(),
  );
  const { client } = newClient({ url: `${gitlab.url}/gitlab` });

  expect(await client.uploadArtifact(upload({ artifactType: "junit" }))).toEqual({
    kind: "uploaded",
  });
  const [call] = primary.seen;
  expect(call?.path).toBe("/gitlab/api/v4/jobs/42/artifacts");
  expect(call?.query.get("artifact_type")).toBe("junit");
  expect(call?.headers["job-token"]).toBe(jobToken.reveal());
  expect(onlyPart(call?.headers["content-type"], call?.text ?? "").content).toBe("onetwo");
});

test.each([
  ["without Location", {}],
  ["to something that is not HTTP", { Location: "ftp://elsewhere.example.com" }],
])("a 307 %s is tried again and then fails", async (_, headers) => {
  const gitlab = await serve((_, response) => response.writeHead(307, headers).end());
  const { client } = newClient({ url: gitlab.url });

  expect(await client.uploadArtifact(upload())).toMatchObject({ kind: "failed", status: 307 });
  expect(gitlab.seen).toHaveLength(3);
});

test("two GitLabs that send the upload to each other end in a failure", async () => {
  const gitlab = await serve((_, response) =>
    response.writeHead(307, { Location: `http://127.0.0.1:${gitlab.port}/` }).end(),
  );
  const { client } = newClient({ url: gitlab.url });

  expect(await client.uploadArtifact(upload())).toMatchObject({
    kind: "failed",
    message: expect.stringContaining("again and again"),
  });
  expect(gitlab.seen).toHaveLength(3);
});

test("a 307 from https to plain http is refused: the token would be readable", async () => {
  const primary = await serve((_, response) => response.writeHead(201).end());
  const gitlab = await serve(
    (_, response) => response.writeHead(307, { Location: `${primary.url}/` }).end(),
    { tls: forLocalhost },
  );
  const { client } = newClient({ url: gitlab.url, ca: testCa });

  expect(await client.uploadArtifact(upload())).toMatchObject({
    kind: "failed",
    message: expect.stringContaining("without TLS"),
  });
  expect(primary.seen).toHaveLength(0);
});

test("a refusal that comes before the body is read is heard, and the content closed", async () => {
  const gitlab = await serve((_, response) => replyJson(response, 413, { message: "too large" }), {
    early: true,
  });
  const { client } = newClient({ url: gitlab.url });
  const closings: string[] = [];

  const reply = await client.uploadArtifact(
    upload({
      async *content() {
        try {
          for (let chunk = 0; chunk < 1000; chunk++) yield Buffer.alloc(64 * 1024);
        } finally {
          closings.push("closed");
        }
      },
    }),
  );

  expect(reply).toEqual({ kind: "tooLarge", message: "HTTP 413: too large" });
  expect(gitlab.seen).toHaveLength(1);
  while (closings.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(closings).toEqual(["closed"]);
});

test("content that fails is this side's fault: said as such, and not tried again", async () => {
  const gitlab = await serve((_, response) => response.writeHead(201).end());
  const { client } = newClient({ url: gitlab.url });
  const cause = new Error("report.xml vanished");

  const reply = await client.uploadArtifact(
    upload({
      async *content() {
        yield Buffer.from("half");
        throw cause;
      },
    }),
  );

  expect(reply).toEqual({ kind: "unreadable", message: "report.xml vanished", cause });
  expect(gitlab.seen.length).toBeLessThanOrEqual(1);
});

test("a file's own stream can be the content, and a missing file is said", async () => {
  const folder = mkdtempSync(join(tmpdir(), "burst-upload-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "raw.json"), "{}");
  const gitlab = await serve((_, response) => response.writeHead(201).end());
  const { client } = newClient({ url: gitlab.url });
  const send = (name: string) =>
    client.uploadArtifact(upload({ content: () => createReadStream(join(folder, name)) }));

  expect(await send("raw.json")).toEqual({ kind: "uploaded" });
  expect(await send("gone.json")).toMatchObject({ kind: "unreadable" });
});

test("content is made no faster than the server takes it", async () => {
  const gitlab = await serve(
    async (_, response, request) => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(made).toBeLessThan(200);
      for await (const _ of request);
      response.writeHead(201).end();
    },
    { early: true },
  );
  const { client } = newClient({ url: gitlab.url });
  let made = 0;

  const reply = await client.uploadArtifact(
    upload({
      async *content() {
        for (; made < 1000; made++) yield Buffer.alloc(64 * 1024);
      },
    }),
  );
  expect(reply).toEqual({ kind: "uploaded" });
});

test("an upload that the caller gives up is not tried again", async () => {
  const gitlab = await serve(() => undefined);
  const { client } = newClient({ url: gitlab.url });
  const stop = new AbortController();

  const reply = client.uploadArtifact(upload({ signal: stop.signal }));
  while (gitlab.seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();

  expect(await reply).toMatchObject({ kind: "failed", message: expect.stringMatching("given up") });
  expect(gitlab.seen).toHaveLength(1);
});
