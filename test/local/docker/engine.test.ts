import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectEngine } from "../../../src/local/docker/engine.ts";
import { certificateFile, forLocalhost, testCa } from "../../gitlab/certificates.ts";

const folder = mkdtempSync(join(tmpdir(), "burst-engine-"));
const strangers = mkdtempSync(join(tmpdir(), "burst-engine-"));
const { key, cert } = forLocalhost;
/** Lets in who shows a certificate of its own authority, as `dockerd --tlsverify` does. */
const engine = createServer(
  { key, cert, ca: testCa, requestCert: true, rejectUnauthorized: true },
  (incoming, outgoing) => outgoing.end(incoming.url === "/_ping" ? "OK" : "?"),
);
let port = 0;

function certificates(into: string, name: string) {
  copyFileSync(certificateFile("ca.crt"), join(into, "ca.pem"));
  copyFileSync(certificateFile(`${name}.crt`), join(into, "cert.pem"));
  copyFileSync(certificateFile(`${name}.key`), join(into, "key.pem"));
}

beforeAll(async () => {
  certificates(folder, "server");
  certificates(strangers, "self");
  await new Promise<void>((resolve) => {
    engine.listen(0, "127.0.0.1", resolve);
  });
  ({ port } = engine.address() as AddressInfo);
});

afterAll(() => {
  engine.closeAllConnections();
  engine.close();
  for (const path of [folder, strangers]) rmSync(path, { recursive: true });
});

test("an engine is reached over TLS with the certificates of DOCKER_CERT_PATH", async () => {
  for (const environment of [
    { DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKER_TLS_VERIFY: "1" },
    { DOCKER_HOST: `https://localhost:${port}` },
  ]) {
    const found = await connectEngine({ ...environment, DOCKER_CERT_PATH: folder });
    expect(String(await found.ping())).toBe("OK");
  }
});

test("one that does not take our certificate is told with its address", async () => {
  await expect(
    connectEngine({
      DOCKER_HOST: `tcp://127.0.0.1:${port}`,
      DOCKER_TLS_VERIFY: "1",
      DOCKER_CERT_PATH: strangers,
    }),
  ).rejects.toThrow(/^the container engine at tcp:\/\/127\.0\.0\.1:\d+ does not answer/);
});

test("certificates that are missing are told with the file, and what should be there", async () => {
  await expect(
    connectEngine({
      DOCKER_HOST: "tcp://127.0.0.1:1",
      DOCKER_TLS_VERIFY: "1",
      DOCKER_CERT_PATH: "/no/such/folder",
    }),
  ).rejects.toThrow(
    "/no/such/folder/ca.pem cannot be read: DOCKER_CERT_PATH must name a folder with ca.pem, cert.pem and key.pem",
  );
});

test.each([
  ["ssh://host", 'DOCKER_HOST is "ssh://host": must begin with unix:// or tcp://'],
  ["unix:///no/such.sock", "the container engine at unix:///no/such.sock does not answer"],
])("DOCKER_HOST=%s", async (host, message) => {
  await expect(connectEngine({ DOCKER_HOST: host })).rejects.toThrow(message);
});
