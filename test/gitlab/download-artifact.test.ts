import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import type { ArtifactDownload } from "../../src/gitlab/download-artifact.ts";
import { forLocalhost, testCa } from "./certificates.ts";
import { replyJson, serve, serveRaw } from "./http-server.ts";
import { jobToken, newClient } from "./new-client.ts";

/** A download into memory; `received` is what the last try brought. */
function download(more: Partial<ArtifactDownload> = {}) {
  const got = { received: Buffer.alloc(0), tries: 0 };
  const request: ArtifactDownload = {
    jobId: 7,
    token: jobToken,
    async receive(body) {
      got.tries++;
      const chunks = [];
      for await (const chunk of body) chunks.push(chunk);
      got.received = Buffer.concat(chunks);
    },
    ...more,
  };
  return { request, got };
}

test("C30 the archive of a dependency comes by JOB-TOKEN and asks for a direct download", async () => {
  const archive = randomBytes(300_000);
  const gitlab = await serve((_, response) => response.writeHead(200).end(archive));
  const { client } = newClient({ url: gitlab.url });
  const { request, got } = download();

  expect(await client.downloadArtifact(request)).toEqual({
    kind: "downloaded",
    host: `127.0.0.1:${gitlab.port}`,
  });
  expect(got.received.equals(archive)).toBe(true);
  const [call] = gitlab.seen;
  expect(call).toMatchObject({ method: "GET", path: "/api/v4/jobs/7/artifacts" });
  expect(call?.query.get("direct_download")).toBe("true");
  expect(call?.headers["job-token"]).toBe(jobToken.reveal());
  expect(call?.headers).not.toHaveProperty("accept");
});

test.each([301, 302, 303, 307, 308])(
  "a %i to another host is followed without the token",
  async (status) => {
    const storage = await serve((_, response) => response.writeHead(200).end("archive"));
    const gitlab = await serve((_, response) =>
      response.writeHead(status, { Location: `${storage.url}/bucket/a.zip?signature=x%2By` }).end(),
    );
    const { client } = newClient({ url: gitlab.url });
    const { request, got } = download();

    expect(await client.downloadArtifact(request)).toEqual({
      kind: "downloaded",
      host: `127.0.0.1:${storage.port}`,
    });
    expect(got.received.toString()).toBe("archive");
    const [call] = storage.seen;
    expect(call?.path).toBe("/bucket/a.zip");
    expect(call?.query.get("signature")).toBe("x+y");
    expect(JSON.stringify(call)).not.toContain(jobToken.reveal());
  },
);

test("a redirect within GitLab's host keeps the token, one that leaves it loses it for good", async () => {
  const storage = await serve((_, response) =>
    response.writeHead(302, { Location: `${gitlab.url}/back` }).end(),
  );
  const gitlab = await serve((call, response) => {
    if (call.path === "/back") return response.writeHead(200).end("archive");
    const location = call.path === "/second" ? `${storage.url}/` : "/second";
    return response.writeHead(302, { Location: location }).end();
  });
  const { client } = newClient({ url: gitlab.url });

  expect(await client.downloadArtifact(download().request)).toMatchObject({ kind: "downloaded" });
  expect(gitlab.seen.map((call) => [call.path, call.headers["job-token"]])).toEqual([
    ["/api/v4/jobs/7/artifacts", jobToken.reveal()],
    ["/second", jobToken.reveal()],
    ["/back", undefined],
  ]);
});

test("a redirect from https to plain http on the same machine loses the token", async () => {
  const plain = await serve((_, response) => response.writeHead(200).end("archive"));
  const gitlab = await serve(
    (_, response) => response.writeHead(302, { Location: plain.url }).end(),
    { tls: forLocalhost },
  );
  const { client } = newClient({ url: gitlab.url, ca: testCa });

  expect(await client.downloadArtifact(download().request)).toMatchObject({ kind: "downloaded" });
  expect(plain.seen[0]?.headers).not.toHaveProperty("job-token");
});

test("a circle of redirects ends", async () => {
  const gitlab = await serve((call, response) =>
    response.writeHead(302, { Location: call.path }).end(),
  );
  const { client } = newClient({ url: gitlab.url });

  expect(await client.downloadArtifact(download().request)).toMatchObject({
    kind: "failed",
    message: "The download was redirected more than 10 times",
  });
  expect(gitlab.seen).toHaveLength(33);
});

test("a redirect to nowhere is a failed try", async () => {
  const gitlab = await serve((_, response) => response.writeHead(302).end());
  const { client } = newClient({ url: gitlab.url });

  expect(await client.downloadArtifact(download().request)).toMatchObject({
    kind: "failed",
    status: 302,
  });
});

test.each([
  [401, "unauthorized"],
  [403, "forbidden"],
  [404, "notFound"],
])("C56 HTTP %i is final: %s", async (status, kind) => {
  const gitlab = await serve((_, response) => replyJson(response, status, { message: "no" }));
  const { client } = newClient({ url: gitlab.url });
  const { request, got } = download();

  expect(await client.downloadArtifact(request)).toEqual({ kind, message: `HTTP ${status}: no` });
  expect(gitlab.seen).toHaveLength(1);
  expect(got.tries).toBe(0);
});

test("a refusal of the storage is told in the storage's words", async () => {
  const storage = await serve((_, response) => {
    response.writeHead(403, { "Content-Type": "application/xml" });
    response.end("<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>");
  });
  const gitlab = await serve((_, response) =>
    response.writeHead(302, { Location: storage.url }).end(),
  );
  const { client } = newClient({ url: gitlab.url });

  expect(await client.downloadArtifact(download().request)).toEqual({
    kind: "forbidden",
    message: "HTTP 403: AccessDenied: Request has expired",
  });
});

test("a refusal with an endless body is still a refusal", async () => {
  const gitlab = await serve((_, response) => {
    response.writeHead(404, { "Content-Type": "text/html" });
    const pour = () => {
      while (!response.destroyed && response.write("x".repeat(65_536)));
    };
    response.on("drain", pour);
    pour();
  });
  const { client } = newClient({ url: gitlab.url });

  expect(await client.downloadArtifact(download().request)).toEqual({
    kind: "notFound",
    message: "HTTP 404",
  });
});

test("other failures are tried twice more, a second apart, without direct download", async () => {
  const gitlab = await serve((_, response) => response.writeHead(501).end());
  const { client, waits } = newClient({ url: gitlab.url });
  const retries: string[] = [];
  const { request } = download({ onRetry: (text) => retries.push(text) });

  expect(await client.downloadArtifact(request)).toMatchObject({ kind: "failed", status: 501 });
  expect(gitlab.seen.map((call) => call.query.get("direct_download"))).toEqual([
    "true",
    null,
    null,
  ]);
  expect(waits).toEqual([1, 1]);
  expect(retries).toEqual(["GitLab answered HTTP 501", "GitLab answered HTTP 501"]);
});

test("direct download can be switched off", async () => {
  const gitlab = await serve((_, response) => response.writeHead(200).end());
  const { client } = newClient({ url: gitlab.url });

  await client.downloadArtifact(download({ directDownload: false }).request);
  expect(gitlab.seen[0]?.query.get("direct_download")).toBeNull();
});

test("a storage that cannot be reached is passed by: the second try is GitLab's own", async () => {
  const gitlab = await serve((call, response) =>
    call.query.has("direct_download")
      ? response.writeHead(302, { Location: "http://127.0.0.1:1/archive" }).end()
      : response.writeHead(200).end("archive"),
  );
  const { client } = newClient({ url: gitlab.url });
  const { request, got } = download();

  expect(await client.downloadArtifact(request)).toMatchObject({ kind: "downloaded" });
  expect(got.received.toString()).toBe("archive");
});

test("an archive that breaks off is received anew from its beginning", async () => {
  const archive = randomBytes(200_000);
  const gitlab = await serve((_, response) => {
    if (gitlab.seen.length > 1) return response.writeHead(200).end(archive);
    response.writeHead(200, { "Content-Length": archive.length });
    return response.write(archive.subarray(0, 100_000), () => response.destroy());
  });
  const { client } = newClient({ url: gitlab.url });
  const { request, got } = download();

  expect(await client.downloadArtifact(request)).toMatchObject({ kind: "downloaded" });
  expect(got.tries).toBe(2);
  expect(got.received.equals(archive)).toBe(true);
});

test("an archive that always breaks off fails with that reason", async () => {
  const gitlab = await serve((_, response) => {
    response.writeHead(200, { "Content-Length": 10 });
    response.write("abc", () => response.destroy());
  });
  const { client } = newClient({ url: gitlab.url });
  const { request, got } = download();

  expect(await client.downloadArtifact(request)).toMatchObject({
    kind: "failed",
    message: expect.stringContaining("was cut"),
  });
  expect(got.tries).toBe(3);
});

test("a receiver that hides the break does not make the archive whole", async () => {
  const gitlab = await serve((_, response) => {
    response.writeHead(200, { "Content-Length": 10 });
    response.write("abc", () => response.destroy());
  });
  const { client } = newClient({ url: gitlab.url });
  const { request } = download({
    async receive(body) {
      try {
        for await (const _ of body);
      } catch {
        // as if nothing had happened
      }
    },
  });

  expect(await client.downloadArtifact(request)).toMatchObject({ kind: "failed" });
});

test("what the receiver throws of itself comes out, and nothing is tried again", async () => {
  const gitlab = await serve((_, response) => response.writeHead(200).end(randomBytes(500_000)));
  const { client } = newClient({ url: gitlab.url });
  const { request } = download({
    async receive(body) {
      for await (const _ of body) throw new Error("disk full");
    },
  });

  await expect(client.downloadArtifact(request)).rejects.toThrow("disk full");
  expect(gitlab.seen).toHaveLength(1);
});

test("a receiver may stop early; the rest is not read", async () => {
  const gitlab = await serve((_, response) => {
    const pour = () => {
      while (!response.destroyed && response.write("x".repeat(65_536)));
    };
    response.on("drain", pour);
    pour();
  });
  const { client } = newClient({ url: gitlab.url });
  const { request } = download({
    async receive(body) {
      for await (const _ of body) break;
    },
  });

  expect(await client.downloadArtifact(request)).toMatchObject({ kind: "downloaded" });
});

test("a receiver that is slow is not a server that is silent", async () => {
  const archive = randomBytes(2_000_000);
  const gitlab = await serve((_, response) => response.writeHead(200).end(archive));
  const { client } = newClient({ url: gitlab.url, timeouts: { responseHeaderSeconds: 0.3 } });
  let size = 0;
  const { request } = download({
    async receive(body) {
      for await (const chunk of body) {
        if (size === 0) await new Promise((resolve) => setTimeout(resolve, 1500));
        size += chunk.length;
      }
    },
  });

  expect(await client.downloadArtifact(request)).toMatchObject({ kind: "downloaded" });
  expect(size).toBe(archive.length);
});

test("a server that falls silent in the middle is given up and asked again", async () => {
  let connections = 0;
  const url = await serveRaw((socket) => {
    connections++;
    const whole = connections > 1;
    socket.once("data", () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc${whole ? "def" : ""}`);
    });
  });
  const { client } = newClient({ url, timeouts: { responseHeaderSeconds: 0.2 } });
  const { request, got } = download();

  expect(await client.downloadArtifact(request)).toMatchObject({ kind: "downloaded" });
  expect(got.received.toString()).toBe("abcdef");
});
