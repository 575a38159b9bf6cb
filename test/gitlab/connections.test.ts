import { networkInterfaces } from "node:os";
import { expect, test } from "vitest";
import { SettingsError } from "../../src/core/errors.ts";
import { forLocalhost, forOtherName, testCa } from "./certificates.ts";
import { serve, serveRaw } from "./http-server.ts";
import { jobToken, newClient } from "./new-client.ts";
import { serveProxy } from "./proxy-server.ts";

test("https goes through the proxy in a tunnel, which is kept and used again", async () => {
  const gitlab = await serve((_, response) => response.writeHead(204).end(), { tls: forOtherName });
  const proxy = await serveProxy({ passTo: gitlab.port });
  const { client } = newClient({
    url: "https://other.example.com",
    ca: testCa,
    env: { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` },
  });

  for (let call = 0; call < 3; call++) {
    expect(await client.requestJob()).toMatchObject({ kind: "none" });
  }
  expect(proxy.asked).toEqual(["CONNECT other.example.com:443"]);
  expect(gitlab.connections()).toBe(1);
  expect(gitlab.seen[0]?.headers.host).toBe("other.example.com");
});

test("plain http is asked of the proxy itself, whose connection is kept and used again", async () => {
  const gitlab = await serve((call, response) =>
    response.writeHead(call.method === "PATCH" ? 202 : 204).end(),
  );
  const proxy = await serveProxy({ passTo: gitlab.port });
  const { client } = newClient({
    url: "http://gitlab.example.com:8080",
    env: { HTTP_PROXY: `127.0.0.1:${proxy.port}` },
  });

  expect(await client.requestJob()).toMatchObject({ kind: "none" });
  const patch = { jobId: 1, token: jobToken, bytes: Buffer.from("line"), offset: 0 };
  expect(await client.patchTrace(patch)).toMatchObject({ kind: "accepted" });
  expect(proxy.asked).toEqual([
    "POST http://gitlab.example.com:8080/api/v4/jobs/request",
    "PATCH http://gitlab.example.com:8080/api/v4/jobs/1/trace?debug_trace=false",
  ]);
  expect(proxy.connections()).toBe(1);
  expect(gitlab.seen[0]?.headers.host).toBe("gitlab.example.com:8080");
  expect(gitlab.seen[1]?.text).toBe("line");
});

test("a proxy that wants a password for plain http is said so", async () => {
  const proxy = await serveProxy({ refuse: 407 });
  const { client } = newClient({
    url: "http://gitlab.example.com",
    env: { HTTP_PROXY: `127.0.0.1:${proxy.port}` },
  });

  const reply = await client.requestJob();
  expect("message" in reply && reply.message).toMatch(/proxy.* asks for a user and password/i);
});

test("a plain-http server behind the proxy that never answers is given up", async () => {
  const gitlab = await serve(() => undefined);
  const proxy = await serveProxy({ passTo: gitlab.port });
  const { client } = newClient({
    url: "http://gitlab.example.com",
    env: { HTTP_PROXY: `127.0.0.1:${proxy.port}` },
    timeouts: { responseHeaderSeconds: 0.2 },
  });

  expect(await client.requestJob()).toMatchObject({
    kind: "unavailable",
    message: expect.stringContaining("did not answer in time"),
  });
});

test("user and password in the proxy's URL are shown to the proxy and to nobody else", async () => {
  const gitlab = await serve((_, response) => response.writeHead(204).end(), { tls: forOtherName });
  const proxy = await serveProxy({ passTo: gitlab.port });
  const { client } = newClient({
    url: "https://other.example.com",
    ca: testCa,
    env: { https_proxy: `http://me:p%40ss@127.0.0.1:${proxy.port}` },
  });

  expect(await client.requestJob()).toMatchObject({ kind: "none" });
  expect(proxy.authorizations).toEqual([`Basic ${Buffer.from("me:p@ss").toString("base64")}`]);
  expect(gitlab.seen[0]?.headers).not.toHaveProperty("proxy-authorization");
});

test("this machine itself is reached without the proxy", async () => {
  const gitlab = await serve((_, response) => response.writeHead(204).end());
  const { client } = newClient({ url: gitlab.url, env: { http_proxy: "http://proxy.invalid" } });

  expect(await client.requestJob()).toMatchObject({ kind: "none" });
});

test.each([
  [403, "refuses to connect to other.example.com:443 (HTTP 403)"],
  [407, "asks for a user and password"],
])(
  "a proxy that answers CONNECT with %i is said so, without its password",
  async (refuse, said) => {
    const proxy = await serveProxy({ refuse });
    const { client } = newClient({
      url: "https://other.example.com",
      env: { HTTPS_PROXY: `http://me:hunter2@127.0.0.1:${proxy.port}` },
    });

    const reply = await client.requestJob();

    expect(reply).toMatchObject({ kind: "unavailable", message: expect.stringContaining(said) });
    expect(JSON.stringify(reply)).not.toContain("hunter2");
  },
);

test("a proxy that takes CONNECT and stays silent is given up after the dial timeout", async () => {
  const proxy = await serveProxy({ silent: true });
  const { client } = newClient({
    url: "https://other.example.com",
    env: { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` },
    timeouts: { dialSeconds: 0.2 },
  });

  expect(await client.requestJob()).toMatchObject({
    kind: "unavailable",
    message: expect.stringContaining(`the proxy 127.0.0.1:${proxy.port} before it, did not answer`),
  });
});

test("a certificate is checked through the tunnel too", async () => {
  const gitlab = await serve((_, response) => response.writeHead(204).end(), { tls: forLocalhost });
  const proxy = await serveProxy({ passTo: gitlab.port });
  const { client } = newClient({
    url: "https://other.example.com",
    ca: testCa,
    env: { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` },
  });

  expect(await client.requestJob()).toMatchObject({
    kind: "unavailable",
    message: expect.stringContaining("made out to another name"),
  });
  expect(gitlab.seen).toHaveLength(0);
});

test("a proxy that is not there is named as the proxy", async () => {
  const { client } = newClient({
    url: "https://other.example.com",
    env: { HTTPS_PROXY: "http://127.0.0.1:1" },
  });

  expect(await client.requestJob()).toMatchObject({
    kind: "unavailable",
    message:
      "127.0.0.1:1 (the proxy for other.example.com:443) refuses the connection: nothing listens there; check HTTP_PROXY and HTTPS_PROXY, or name the host in NO_PROXY.",
  });
});

test("a proxy variable that is wrong is said before any call", () => {
  expect(() => newClient({ url: "https://a.com", env: { HTTPS_PROXY: "socks5://p" } })).toThrow(
    SettingsError,
  );
});

test("a server that takes the connection and never begins TLS is given up", async () => {
  const url = await serveRaw(() => undefined);
  const { client } = newClient({
    url: url.replace("http:", "https:"),
    timeouts: { tlsSeconds: 0.2, dialSeconds: 60 },
  });

  expect(await client.requestJob()).toMatchObject({
    kind: "unavailable",
    message: expect.stringContaining("did not take the connection in time"),
  });
});

const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === "::1"),
);

test.skipIf(!hasIpv6)("an IPv6 address is a host like any other", async () => {
  const gitlab = await serve((_, response) => response.writeHead(204).end(), { host: "::1" });
  const { client } = newClient({ url: gitlab.url });

  expect(await client.requestJob()).toMatchObject({ kind: "none" });
});
