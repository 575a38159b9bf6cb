import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { SettingsError } from "../../src/core/errors.ts";
import {
  certificateFile,
  expired,
  forLocalhost,
  forOtherName,
  selfSigned,
  testCa,
} from "./certificates.ts";
import { serve } from "./http-server.ts";
import { jobToken, newClient } from "./new-client.ts";

function fileWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "burst-trust-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "file.pem");
  writeFileSync(file, text);
  return file;
}

const caFile = certificateFile("ca.crt");

test.each([
  ["as text", { ca: testCa }],
  ["as a file", { caFile }],
  ["as the machine's store", { env: { SSL_CERT_FILE: caFile } }],
  ["as Node's extra certificates", { env: { NODE_EXTRA_CA_CERTS: caFile } }],
  ["after words that are no certificate", { ca: `# our CA\r\n${testCa.replaceAll("\n", "\r\n")}` }],
  ["self-signed", { ca: selfSigned.cert }, selfSigned],
])("a GitLab whose CA is given %s is reached", async (_, options, tls = forLocalhost) => {
  const gitlab = await serve((_, response) => response.writeHead(204).end(), { tls });
  const { client } = newClient({ url: gitlab.url, ...options });

  expect(await client.requestJob()).toMatchObject({ kind: "none" });
});

test.each([
  [
    "signed by an unknown CA",
    forLocalhost,
    {},
    "give that authority's certificate with --tls-ca-file",
  ],
  ["signed by itself", selfSigned, {}, "give that authority's certificate with --tls-ca-file"],
  ["expired", expired, { ca: testCa }, "has expired"],
  ["made out to another name", forOtherName, { ca: testCa }, "to another name (other.example.com)"],
])("a certificate that is %s is refused in one sentence", async (_, tls, options, said) => {
  const gitlab = await serve((_, response) => response.writeHead(204).end(), { tls });
  const { client } = newClient({ url: gitlab.url, ...options });

  const reply = await client.requestJob();

  expect(reply).toMatchObject({ kind: "unavailable", message: expect.stringContaining(said) });
  expect(gitlab.seen).toHaveLength(0);
});

test("https to a port that speaks plain HTTP is said so", async () => {
  const gitlab = await serve((_, response) => response.writeHead(204).end());
  const { client } = newClient({ url: gitlab.url.replace("http:", "https:") });

  expect(await client.requestJob()).toMatchObject({
    kind: "unavailable",
    message: expect.stringContaining("does not speak TLS: begin the URL with http://"),
  });
});

test("plain HTTP to a port that speaks TLS is said so", async () => {
  const gitlab = await serve((_, response) => response.writeHead(204).end(), { tls: forLocalhost });
  const { client } = newClient({ url: gitlab.url.replace("https:", "http:") });

  expect(await client.requestJob()).toMatchObject({
    kind: "unavailable",
    message: expect.stringMatching(/does not answer in HTTP|was cut/),
  });
});

test("a TLS connection is kept and used again", async () => {
  const gitlab = await serve((_, response) => response.writeHead(204).end(), { tls: forLocalhost });
  const { client } = newClient({ url: gitlab.url, ca: testCa });

  for (let call = 0; call < 5; call++) await client.requestJob();
  expect(gitlab.connections()).toBe(1);
});

test("a server that offers nothing newer than TLS 1.1 is refused", async () => {
  const server = createServer(
    { ...forLocalhost, minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL@SECLEVEL=0" },
    (_, response) => response.end(),
  );
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const { client } = newClient({ url: `https://127.0.0.1:${port}`, ca: testCa });

  expect(await client.requestJob()).toMatchObject({
    kind: "unavailable",
    message: expect.stringMatching(/TLS 1\.2 or newer|TLS handshake/),
  });
});

test("a client certificate is shown to GitLab, and to no other host", async () => {
  const shown: Record<string, boolean> = {};
  const ask = async (name: string, status: number, headers = {}) => {
    const server = createServer(
      { ...forLocalhost, ca: testCa, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        shown[name] = (request.socket as TLSSocket).authorized;
        response.writeHead(status, headers).end();
      },
    );
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  };
  const storage = await ask("storage", 200);
  const location = `https://localhost:${storage}/file`;
  const gitlab = await ask("gitlab", 302, { Location: location });
  const { client } = newClient({
    url: `https://127.0.0.1:${gitlab}`,
    caFile,
    certFile: certificateFile("client.crt"),
    keyFile: certificateFile("client.key"),
  });

  const reply = await client.downloadArtifact({
    jobId: 1,
    token: jobToken,
    receive: async (body) => {
      for await (const _ of body);
    },
  });

  expect(reply.kind).toBe("downloaded");
  expect(shown).toEqual({ gitlab: true, storage: false });
});

test.each([
  [
    "a CA file that does not exist",
    { caFile: "/nowhere/ca.pem" },
    "--tls-ca-file: the file /nowhere/ca.pem cannot be read",
  ],
  ["a CA without a certificate in it", { ca: "hello" }, "holds no certificate"],
  [
    "a CA with a broken certificate in it",
    { ca: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" },
    "cannot be read",
  ],
  [
    "a client certificate without its key",
    { certFile: certificateFile("client.crt") },
    "needs both",
  ],
  [
    "a client certificate with another's key",
    { certFile: certificateFile("client.crt"), keyFile: certificateFile("server.key") },
    "must be a matching pair",
  ],
])("%s is refused at once", (_, options, said) => {
  const make = () => newClient({ url: "https://gitlab.example.com", ...options });
  expect(make).toThrow(SettingsError);
  expect(make).toThrow(said);
});

test("a file that is no PEM is named", () => {
  const file = fileWith("not a certificate");
  expect(() => newClient({ url: "https://a.com", caFile: file })).toThrow(
    `${file} holds no certificate`,
  );
});
