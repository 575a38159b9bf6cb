import { expect, test } from "vitest";
import { startFakeS3 } from "./fake-s3.ts";

const type = "application/octet-stream";

async function put(url: string, headers: Record<string, string>): Promise<number> {
  return (await fetch(url, { method: "PUT", body: "content", headers })).status;
}

test("an address is good for its method, its object, its headers and its time", async () => {
  const s3 = await startFakeS3();
  const { url } = s3.sign("PUT", "a", { headers: { "x-amz-meta-cachekey": "k" } });
  const good = { "content-type": type, "x-amz-meta-cachekey": "k" };
  expect(await put(url, good)).toBe(200);
  expect(await put(url, { ...good, "x-amz-meta-cachekey": "other" })).toBe(403);
  expect(await put(url, { ...good, "x-amz-meta-more": "m" })).toBe(403);
  expect(await put(url, { ...good, "content-type": "text/plain" })).toBe(400);
  expect(await put(url.replace("/bucket/a", "/bucket/b"), good)).toBe(403);
  expect((await fetch(url)).status).toBe(403);
  expect((await fetch(s3.sign("GET", "a").url)).status).toBe(200);
  s3.now += 60_001;
  expect(await put(url, good)).toBe(403);
});
