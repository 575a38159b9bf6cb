import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createObjects } from "../../src/aws/objects.ts";
import type { Objects } from "../../src/aws/objects.ts";
import { startMoto } from "../harness/moto.ts";
import type { Moto } from "../harness/moto.ts";

let moto: Moto;
let client: S3Client;
let objects: Objects;

beforeAll(async () => {
  moto = await startMoto();
  client = new S3Client(settings("WHEN_REQUIRED"));
  await client.send(
    new CreateBucketCommand({
      Bucket: "state",
      CreateBucketConfiguration: { LocationConstraint: "eu-central-1" },
    }),
  );
  objects = createObjects(client, "state");
});

afterAll(async () => {
  client.destroy();
  await moto.close();
});

function settings(requestChecksumCalculation: "WHEN_REQUIRED" | "WHEN_SUPPORTED") {
  return {
    endpoint: moto.url,
    region: "eu-central-1",
    credentials: { accessKeyId: "testing", secretAccessKey: "testing", sessionToken: "token" },
    forcePathStyle: true,
    requestChecksumCalculation,
  };
}

test("what was written is read as it was, letters of any script too", async () => {
  await objects.write("text/a", "Grüße, 世界\n");
  const found = await objects.read("text/a");
  expect(found?.body).toBe("Grüße, 世界\n");
  expect(found?.etag).not.toBe("");
  expect(Math.abs((found?.modifiedAt ?? 0) - Date.now())).toBeLessThan(60_000);
});

test("an object that there is none of is undefined, and does not exist", async () => {
  expect(await objects.read("none")).toBeUndefined();
  expect(await objects.exists("none")).toBe(false);
});

test("only the first creates", async () => {
  const first = await objects.create("created", "one");
  expect(first.kind).toBe("written");
  expect(await objects.create("created", "two")).toEqual({ kind: "exists" });
  expect((await objects.read("created"))?.body).toBe("one");
  expect(await objects.exists("created")).toBe(true);
});

test("of many that create at once one wins", async () => {
  const all = await Promise.all(
    Array.from({ length: 12 }, (_, index) => objects.create("race", `writer ${index}`)),
  );
  expect(all.filter(({ kind }) => kind === "written")).toHaveLength(1);
});

test("only what is still as it was read is replaced, and the new mark holds for the next", async () => {
  const made = await objects.create("replaced", "one");
  if (made.kind !== "written") throw new Error("not created");
  const second = await objects.replace("replaced", "two", made.etag);
  if (second.kind !== "written") throw new Error("not replaced");
  expect(await objects.replace("replaced", "three", made.etag)).toEqual({ kind: "changed" });
  expect((await objects.replace("replaced", "four", second.etag)).kind).toBe("written");
  expect((await objects.read("replaced"))?.body).toBe("four");
});

test("what has been removed is not replaced", async () => {
  const made = await objects.create("gone", "one");
  if (made.kind !== "written") throw new Error("not created");
  await objects.remove(["gone"]);
  expect(await objects.replace("gone", "two", made.etag)).toEqual({ kind: "changed" });
  expect(await objects.exists("gone")).toBe(false);
});

test("a listing has all below a prefix, page after page, and removal takes all of them", async () => {
  const keys = Array.from({ length: 1005 }, (_, index) => `many/${String(index).padStart(4, "0")}`);
  for (let from = 0; from < keys.length; from += 50) {
    await Promise.all(keys.slice(from, from + 50).map((key) => objects.write(key, "x")));
  }
  const listed = await objects.list("many/");
  expect(listed.map(({ key }) => key)).toEqual(keys);
  expect(listed[0]?.bytes).toBe(1);
  await objects.remove(keys);
  expect(await objects.list("many/")).toEqual([]);
});

test("removing nothing, or what is gone, is no mistake", async () => {
  await objects.remove([]);
  await objects.remove(["never was"]);
});

test("an address lets a plain GET, HEAD and PUT through", async () => {
  const put = await objects.presign({ method: "PUT", key: "signed", expiresSeconds: 60 });
  expect(put.headers).toBeUndefined();
  expect((await fetch(put.url, { method: "PUT", body: "by address" })).status).toBe(200);
  const get = await objects.presign({ method: "GET", key: "signed", expiresSeconds: 60 });
  expect(await (await fetch(get.url)).text()).toBe("by address");
  const head = await objects.presign({ method: "HEAD", key: "signed", expiresSeconds: 60 });
  expect((await fetch(head.url, { method: "HEAD" })).headers.get("content-length")).toBe("10");
});

test("an address for the first only lets one PUT through", async () => {
  const { url, headers } = await objects.presign({
    method: "PUT",
    key: "fence",
    expiresSeconds: 60,
    onlyIfMissing: true,
  });
  const put = async (body: string) =>
    (await fetch(url, { method: "PUT", body, headers: { ...headers } })).status;
  expect(await put("first")).toBe(200);
  expect(await put("second")).toBe(412);
  expect((await objects.read("fence"))?.body).toBe("first");
});

test("the condition is signed with the address, so that leaving it out makes another request", async () => {
  const request = { key: "fence", expiresSeconds: 900 } as const;
  const once = await objects.presign({ method: "PUT", ...request, onlyIfMissing: true });
  const query = new URL(once.url).searchParams;
  expect(query.get("X-Amz-SignedHeaders")?.split(";")).toContain("if-none-match");
  expect(query.get("X-Amz-Expires")).toBe("900");
  const free = await objects.presign({ method: "PUT", ...request });
  expect(new URL(free.url).searchParams.get("X-Amz-SignedHeaders")).toBe("host");
});

test("a client that would sign an empty body's checksum into an address is refused", async () => {
  const other = new S3Client(settings("WHEN_SUPPORTED"));
  const presigned = createObjects(other, "state").presign({
    method: "PUT",
    key: "signed",
    expiresSeconds: 60,
  });
  await expect(presigned).rejects.toThrow("requestChecksumCalculation");
  other.destroy();
});

test("a bucket that is not there is an error, not an absent object", async () => {
  await expect(createObjects(client, "nowhere").write("key", "text")).rejects.toThrow(/bucket/i);
});
