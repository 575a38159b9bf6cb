import { existsSync, readFileSync, statSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { presignedStore } from "../../../src/agent/cache/presigned-store.ts";
import type { PresignedCache } from "../../../src/agent/cache/presigned-store.ts";
import type { CacheStore } from "../../../src/agent/cache/store.ts";
import type { CacheAddress } from "../../../src/core/cache.ts";
import { readTrust } from "../../../src/gitlab/trust.ts";
import { forLocalhost, forOtherName, testCa } from "../../gitlab/certificates.ts";
import type { KeyPair } from "../../gitlab/certificates.ts";
import { serveProxy } from "../../gitlab/proxy-server.ts";
import { never, recordingLog, scratch } from "../archive/workshop.ts";
import type { RecordingLog } from "../archive/workshop.ts";
import { startFakeS3 } from "./fake-s3.ts";
import type { FakeS3 } from "./fake-s3.ts";

const name = "runner/abc/project/7/deps-protected";
const address: CacheAddress = { key: "deps-protected", objectName: name, localName: "" };
const metadata = { "x-amz-meta-cachekey": "deps-protected" };

interface Bench {
  readonly s3: FakeS3;
  readonly store: CacheStore;
  readonly log: RecordingLog;
  readonly folder: string;
  /** Milliseconds that were waited for. */
  readonly slept: number[];
}

async function bench(
  cache: (s3: FakeS3) => PresignedCache = addresses,
  options: {
    readonly timeoutSeconds?: number;
    readonly signal?: AbortSignal;
    readonly tls?: KeyPair;
    readonly ca?: string;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<Bench> {
  const s3 = await startFakeS3(options.tls);
  const folder = await scratch();
  const log = recordingLog();
  const slept: number[] = [];
  const store = presignedStore({
    caches: new Map([[name, cache(s3)]]),
    scratch: join(folder, "scratch"),
    network: { trust: readTrust({ ca: options.ca }, {}), env: options.env ?? {} },
    timeoutSeconds: options.timeoutSeconds ?? 60,
    log,
    signal: options.signal ?? never,
    sleep: (milliseconds) => {
      slept.push(milliseconds);
      return Promise.resolve();
    },
  });
  return { s3, store, log, folder, slept };
}

function addresses(s3: FakeS3): PresignedCache {
  return {
    get: s3.sign("GET", name),
    head: s3.sign("HEAD", name),
    put: s3.sign("PUT", name, { headers: metadata }),
  };
}

function hold(s3: FakeS3, body = "an archive"): void {
  s3.objects.set(name, { body: Buffer.from(body), modified: new Date(s3.now) });
}

/** What `keep` came to. */
async function keep({ store }: Bench, content = "an archive") {
  const draft = await store.draft(address);
  await writeFile(draft.file, content);
  const kept = await draft.keep();
  await draft.discard();
  expect(existsSync(draft.file)).toBe(false);
  return kept;
}

test("an archive is put with its length, its type, its time and what was signed", async () => {
  const at = await bench();
  expect(await keep(at)).toEqual({ kind: "kept" });
  expect(at.s3.objects.get(name)?.body.toString()).toBe("an archive");
  const [put] = at.s3.requests;
  expect(put).toMatchObject({ method: "PUT", path: `/bucket/${name}`, status: 200 });
  expect(put?.headers).toMatchObject({
    "content-length": "10",
    "content-type": "application/octet-stream",
    "x-amz-meta-cachekey": "deps-protected",
  });
  expect(Date.parse(put?.headers["last-modified"] ?? "")).not.toBeNaN();
  expect(put?.headers).not.toHaveProperty("if-none-match");
});

test("an archive is fetched into the agent's scratch, readable by nobody else, and let go", async () => {
  const at = await bench();
  hold(at.s3);
  const found = await at.store.fetch(address);
  if (found.kind !== "found") throw new Error(found.kind);
  expect(readFileSync(found.file, "utf8")).toBe("an archive");
  expect(statSync(found.file).mode & 0o777).toBe(0o600);
  await found.release();
  expect(await readdir(join(at.folder, "scratch"))).toEqual([]);
});

test("what is not there is missing, and is asked for once", async () => {
  const at = await bench();
  expect(await at.store.fetch(address)).toEqual({ kind: "missing" });
  expect(at.s3.requests).toHaveLength(1);
  expect(await readdir(join(at.folder, "scratch"))).toEqual([]);
});

test("the log names the object, never the signature", async () => {
  const at = await bench();
  hold(at.s3);
  await at.store.fetch(address);
  await keep(at);
  expect(at.log.lines).toEqual([
    `Downloading cache from http://${at.s3.host}/bucket/${name}`,
    `Uploading cache.zip to http://${at.s3.host}/bucket/${name}`,
  ]);
});

describe("an address that has expired is refused, once, and its query is not told", () => {
  test.each(["fetch", "keep"])("%s", async (what) => {
    const at = await bench();
    hold(at.s3);
    at.s3.now += 61_000;
    const answer = what === "fetch" ? await at.store.fetch(address) : await keep(at);
    const method = what === "fetch" ? "GET" : "PUT";
    expect(answer).toEqual({
      kind: "failed",
      message: `${method} http://${at.s3.host}/bucket/${name}: 403 Forbidden (AccessDenied)`,
    });
    expect(at.s3.requests).toHaveLength(1);
  });
});

test("what storage repeats of a signature is not told", async () => {
  const at = await bench((s3) => ({ get: s3.sign("PUT", name) }));
  const answer = await at.store.fetch(address);
  expect(answer).toMatchObject({ message: expect.stringMatching(/\(SignatureDoesNotMatch\)$/) });
});

describe("a storage in trouble is asked twice more", () => {
  test.each([[[503]], [[500, 503]], [["cut", 502]], [["cut body", "cut body"]]] as const)(
    "fetch after %j",
    async (faults) => {
      const at = await bench();
      hold(at.s3);
      at.s3.faults.push(...faults);
      const found = await at.store.fetch(address);
      if (found.kind !== "found") throw new Error(JSON.stringify(found));
      expect(readFileSync(found.file, "utf8")).toBe("an archive");
      expect(at.slept).toEqual(faults.map(() => 1000));
    },
  );

  test.each([[[503]], [["cut", 500]]] as const)("keep after %j", async (faults) => {
    const at = await bench();
    at.s3.faults.push(...faults);
    expect(await keep(at)).toEqual({ kind: "kept" });
    expect(at.s3.objects.get(name)?.body.toString()).toBe("an archive");
  });

  test("and given up then", async () => {
    const at = await bench();
    hold(at.s3);
    at.s3.faults.push(503, 503, 503);
    expect(await at.store.fetch(address)).toEqual({
      kind: "failed",
      message: `GET http://${at.s3.host}/bucket/${name}: 503 Service Unavailable (SlowDown)`,
    });
    expect(at.s3.requests).toHaveLength(3);
    expect(await readdir(join(at.folder, "scratch"))).toEqual([]);
  });
});

test("a storage that is silent is given up after the time that the job allows", async () => {
  const at = await bench(addresses, { timeoutSeconds: 0.1 });
  at.s3.faults.push("silence", "silence", "silence");
  expect(await at.store.fetch(address)).toMatchObject({
    kind: "failed",
    message: expect.stringContaining("took too long"),
  });
});

test("an abort ends the call, and no other follows", async () => {
  const stop = new AbortController();
  const at = await bench(addresses, { signal: stop.signal });
  at.s3.faults.push("silence");
  const fetching = at.store.fetch(address);
  setTimeout(() => stop.abort(), 50);
  expect(await fetching).toMatchObject({ kind: "failed" });
  expect(at.slept).toEqual([]);
});

test("without an address nothing is asked", async () => {
  const at = await bench(() => ({}));
  const message = expect.stringContaining("was given no address");
  expect(await at.store.fetch(address)).toEqual({ kind: "failed", message });
  expect(await keep(at)).toEqual({ kind: "failed", message });
  expect(at.s3.requests).toEqual([]);
});

describe("when the archive was made that may stay as it is", () => {
  test("nobody knows of one that this job has not fetched", async () => {
    const at = await bench();
    hold(at.s3);
    expect(await at.store.savedAt(address)).toBeUndefined();
  });

  test("of one that was fetched the storage's time counts", async () => {
    const at = await bench();
    hold(at.s3);
    await at.store.fetch(address);
    expect(await at.store.savedAt(address)).toBe(at.s3.now);
  });

  test("one that was deleted meanwhile has to be made anew", async () => {
    const at = await bench();
    hold(at.s3);
    await at.store.fetch(address);
    at.s3.objects.clear();
    expect(await at.store.savedAt(address)).toBeUndefined();
  });

  test("one that was of no use as well", async () => {
    const at = await bench();
    hold(at.s3);
    await at.store.fetch(address);
    at.store.distrust(address);
    expect(await at.store.savedAt(address)).toBeUndefined();
  });
});

test("many megabytes come and go", async () => {
  const at = await bench();
  const content = "0123456789abcdef".repeat(500_000);
  expect(await keep(at, content)).toEqual({ kind: "kept" });
  const found = await at.store.fetch(address);
  expect(found.kind === "found" && readFileSync(found.file, "utf8") === content).toBe(true);
});

test("over TLS the machine's authorities count, and those that were configured", async () => {
  const at = await bench(addresses, { tls: forLocalhost, ca: testCa });
  expect(await keep(at)).toEqual({ kind: "kept" });
  expect((await at.store.fetch(address)).kind).toBe("found");
  const stranger = await bench(addresses, { tls: forLocalhost });
  expect(await keep(stranger)).toMatchObject({
    kind: "failed",
    message: expect.stringContaining("an authority that this machine does not know"),
  });
});

describe("through the proxy that the environment names", () => {
  /** The same addresses, for a host that only the proxy can reach. */
  const elsewhere = (s3: FakeS3): PresignedCache =>
    JSON.parse(JSON.stringify(addresses(s3)).replaceAll(s3.host, "other.example.com"));
  const pass = { passTo: 0 };

  test("http is asked of the proxy by its whole address", async () => {
    const proxy = await serveProxy(pass);
    const at = await bench(elsewhere, {
      env: { HTTP_PROXY: `http://u:p%40ss@127.0.0.1:${proxy.port}` },
    });
    pass.passTo = Number(at.s3.host.split(":")[1]);
    expect(await keep(at)).toEqual({ kind: "kept" });
    expect((await at.store.fetch(address)).kind).toBe("found");
    expect(proxy.asked[0]).toContain(`PUT http://other.example.com/bucket/${name}?`);
    expect(proxy.authorizations[0]).toBe(`Basic ${btoa("u:p@ss")}`);
  });

  test("https goes through a tunnel", async () => {
    const proxy = await serveProxy(pass);
    const at = await bench(elsewhere, {
      tls: forOtherName,
      ca: testCa,
      env: { HTTPS_PROXY: `http://u:p@127.0.0.1:${proxy.port}` },
    });
    pass.passTo = Number(at.s3.host.split(":")[1]);
    expect(await keep(at)).toEqual({ kind: "kept" });
    expect((await at.store.fetch(address)).kind).toBe("found");
    expect(proxy.asked).toEqual(Array(2).fill("CONNECT other.example.com:443"));
    expect(proxy.authorizations[0]).toBe(`Basic ${btoa("u:p")}`);
  });

  test("a proxy that refuses is told", async () => {
    const proxy = await serveProxy({ refuse: 407 });
    const env = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` };
    const at = await bench(elsewhere, { tls: forOtherName, ca: testCa, env });
    expect(await at.store.fetch(address)).toMatchObject({
      kind: "failed",
      message: expect.stringMatching(/^The proxy .* asks for a user and password/),
    });
  });
});
