import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { TestGitLab } from "./gitlab.ts";
import { gitLab } from "./gitlab.ts";

async function runningJob(gitlab: TestGitLab) {
  await gitlab.standIn.enqueue();
  return gitlab.claim();
}

function download(gitlab: TestGitLab, jobId: number, token: string, query = "") {
  return gitlab.call("GET", `/api/v4/jobs/${String(jobId)}/artifacts${query}`, {
    headers: { "job-token": token },
  });
}

test("S22 an upload after the final state is 403 with Job-Status", async () => {
  const gitlab = await gitLab();
  const job = await runningJob(gitlab);
  await gitlab.put(job, { state: "success" });
  const answer = await gitlab.upload(job, { bytes: "zip" });
  expect(answer.status).toBe(403);
  expect(answer.headers.get("job-status")).toBe("success");
});

test("S23 the same file again is 201, another one of the same type is 400", async () => {
  const gitlab = await gitLab();
  const job = await runningJob(gitlab);
  expect(await gitlab.upload(job, { bytes: "one" })).toMatchObject({ status: 201, text: "201" });
  expect((await gitlab.upload(job, { bytes: "one" })).status).toBe(201);
  expect(await gitlab.upload(job, { bytes: "two" })).toMatchObject({
    status: 400,
    json: { message: "another artifact of the same type already exists" },
  });
  expect(gitlab.standIn.job(job.id).artifacts).toHaveLength(1);
});

test("S23 a file above the limit is 413 and leaves nothing behind", async () => {
  const gitlab = await gitLab({ artifactLimitBytes: 1000 });
  const job = await runningJob(gitlab);
  expect((await gitlab.upload(job, { bytes: "x".repeat(1001) })).status).toBe(413);
  expect(gitlab.standIn.job(job.id).artifacts).toEqual([]);
  expect((await gitlab.upload(job, { bytes: "x".repeat(1000) })).status).toBe(201);
  const [kept] = gitlab.standIn.job(job.id).artifacts;
  expect(readdirSync(dirname(kept?.file ?? ""))).toHaveLength(1);
});

test("S24 direct_download answers 302 to another port, which wants no token", async () => {
  const gitlab = await gitLab();
  const producer = await runningJob(gitlab);
  await gitlab.upload(producer, { bytes: "the archive" });
  await gitlab.put(producer, { state: "success" });
  const consumer = await runningJob(gitlab);
  const answer = await download(gitlab, producer.id, consumer.token, "?direct_download=true");
  expect(answer.status).toBe(302);
  const location = answer.headers.get("location") ?? "";
  expect(new URL(location).host).not.toBe(new URL(gitlab.standIn.url).host);
  expect(await gitlab.call("GET", location)).toMatchObject({ status: 200, text: "the archive" });
});

test.each([
  { name: "job-token", value: "glcbt-64_x" },
  { name: "private-token", value: "glpat-x" },
  { name: "authorization", value: "Basic eDp5" },
])("S24 the storage refuses a request that carries $name", async ({ name, value }) => {
  const gitlab = await gitLab();
  const job = await runningJob(gitlab);
  await gitlab.upload(job, { bytes: "the archive" });
  const answer = await download(gitlab, job.id, job.token, "?direct_download=true");
  const location = answer.headers.get("location") ?? "";
  const refused = await gitlab.call("GET", location, { headers: { [name]: value } });
  expect(refused.status).toBe(400);
  expect(refused.text).toContain("<Code>InvalidArgument</Code>");
  expect(gitlab.standIn.storageRequests().map(({ status }) => status)).toEqual([400]);
});

test("a storage that only ignores tokens can be had, for runners that carry them along", async () => {
  const gitlab = await gitLab({ storageRefusesTokens: false });
  const job = await runningJob(gitlab);
  await gitlab.upload(job, { bytes: "the archive" });
  const answer = await download(gitlab, job.id, job.token, "?direct_download=true");
  const location = answer.headers.get("location") ?? "";
  const headers = { "job-token": job.token };
  expect((await gitlab.call("GET", location, { headers })).status).toBe(200);
});

test("the storage refuses an address that it has not signed, or not lately", async () => {
  const gitlab = await gitLab({ clock: true });
  const job = await runningJob(gitlab);
  await gitlab.upload(job, { bytes: "the archive" });
  const answer = await download(gitlab, job.id, job.token, "?direct_download=true");
  const location = answer.headers.get("location") ?? "";
  expect((await gitlab.call("GET", `${location}0`)).status).toBe(403);
  gitlab.clock.now += 11 * 60_000;
  expect((await gitlab.call("GET", location)).status).toBe(403);
});

test("S24 without direct_download the file comes from GitLab itself", async () => {
  const gitlab = await gitLab();
  const job = await runningJob(gitlab);
  await gitlab.upload(job, { bytes: "the archive" });
  expect(await download(gitlab, job.id, job.token)).toMatchObject({
    status: 200,
    text: "the archive",
  });
});

test("S24 no artifacts, or expired ones, are 404", async () => {
  const gitlab = await gitLab({ clock: true });
  const job = await runningJob(gitlab);
  expect((await download(gitlab, job.id, job.token)).status).toBe(404);
  await gitlab.upload(job, { bytes: "zip" }, { expire_in: "10 mins" });
  expect((await download(gitlab, job.id, job.token)).status).toBe(200);
  gitlab.clock.now += 600_000;
  expect((await download(gitlab, job.id, job.token)).status).toBe(404);
});

test("S24 the token of a job that is over is 403 for its own job, 401 elsewhere", async () => {
  const gitlab = await gitLab();
  const finished = await runningJob(gitlab);
  await gitlab.upload(finished, { bytes: "zip" });
  await gitlab.put(finished, { state: "success" });
  const other = await runningJob(gitlab);
  await gitlab.upload(other, { bytes: "zip" });
  expect((await download(gitlab, finished.id, finished.token)).status).toBe(403);
  expect((await download(gitlab, other.id, finished.token)).status).toBe(401);
  expect((await download(gitlab, other.id, "glcbt-64_unknown")).status).toBe(401);
});

test("a running job may not read the artifacts of another project", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.addFiles("one", { "a.txt": "a" });
  await gitlab.standIn.addFiles("two", { "a.txt": "a" });
  await gitlab.standIn.enqueue({ project: "root/one" });
  await gitlab.standIn.enqueue({ project: "root/two" });
  const one = await gitlab.claim();
  const two = await gitlab.claim();
  await gitlab.upload(one, { bytes: "zip" });
  expect((await download(gitlab, one.id, two.token)).status).toBe(403);
});

test.each([
  ["../../etc/passwd", "passwd"],
  ["C:\\temp\\a b.zip", "a_b.zip"],
  ["größe.zip", "größe.zip"],
  ["..", "_.."],
])("a file called %s is kept, and served, as %s", async (name, kept) => {
  const gitlab = await gitLab();
  const job = await runningJob(gitlab);
  await gitlab.upload(job, { name, bytes: "zip" });
  expect(gitlab.standIn.job(job.id).artifacts[0]?.filename).toBe(kept);
  const answer = await download(gitlab, job.id, job.token);
  expect(answer.status).toBe(200);
  const disposition = answer.headers.get("content-disposition") ?? "";
  expect(decodeURIComponent(disposition.split("UTF-8''")[1] ?? "")).toBe(kept);
});

test("an archive and every report has its own place", async () => {
  const gitlab = await gitLab();
  const job = await runningJob(gitlab);
  await gitlab.upload(job, { bytes: "zip" }, { artifact_type: "archive", artifact_format: "zip" });
  const junit = { artifact_type: "junit", artifact_format: "gzip" };
  await gitlab.upload(job, { bytes: gzipSync("<x/>"), name: "junit.xml.gz" }, junit);
  await gitlab.upload(
    job,
    { bytes: "{}", name: "gl-sast-report.json" },
    { artifact_type: "sast", artifact_format: "raw" },
  );
  expect(
    gitlab.standIn.job(job.id).artifacts.map(({ type, filename, size }) => [type, filename, size]),
  ).toEqual([
    ["archive", "artifacts.zip", 3],
    ["junit", "junit.xml.gz", gzipSync("<x/>").length],
    ["sast", "gl-sast-report.json", 2],
  ]);
});

test.each([
  { query: { artifact_type: "made_up" }, says: "artifact_type does not have a valid value" },
  { query: { artifact_format: "tar" }, says: "artifact_format does not have a valid value" },
  {
    query: { artifact_type: "junit", artifact_format: "zip" },
    says: "Invalid file format with specified file type",
  },
  { query: { expire_in: "soon" }, says: "expire_in is not a duration" },
])("an upload with $query is 400: $says", async ({ query, says }) => {
  const gitlab = await gitLab();
  const job = await runningJob(gitlab);
  const answer = await gitlab.upload(job, { bytes: "zip" }, query);
  expect(answer.status).toBe(400);
  expect(answer.text).toContain(says);
  expect(gitlab.standIn.job(job.id).artifacts).toEqual([]);
});

test.each([
  { what: "no multipart", type: "application/zip", body: "zip" },
  { what: "no part named file", type: "multipart/form-data; boundary=b", body: part("other") },
  {
    what: "no last boundary",
    type: "multipart/form-data; boundary=b",
    body: part("file").slice(0, -7),
  },
])("an upload with $what is 400", async ({ type, body }) => {
  const gitlab = await gitLab();
  const job = await runningJob(gitlab);
  const answer = await gitlab.call("POST", `/api/v4/jobs/${String(job.id)}/artifacts`, {
    headers: { "job-token": job.token, "content-type": type },
    body,
  });
  expect(answer.status).toBe(400);
});

function part(name: string): string {
  return `--b\r\nContent-Disposition: form-data; name="${name}"; filename="a.zip"\r\n\r\nzip\r\n--b--\r\n`;
}

test("an upload of several megabytes arrives byte for byte", async () => {
  const gitlab = await gitLab();
  const job = await runningJob(gitlab);
  const bytes = Buffer.alloc(5_000_003, "\r\n--not the boundary");
  expect((await gitlab.upload(job, { bytes })).status).toBe(201);
  const answer = await fetch(`${gitlab.standIn.url}/api/v4/jobs/${String(job.id)}/artifacts`, {
    headers: { "job-token": job.token },
  });
  expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
});

test("a dotenv report that cannot be read is 400", async () => {
  const gitlab = await gitLab();
  const job = await runningJob(gitlab);
  const type = { artifact_type: "dotenv", artifact_format: "gzip" };
  for (const bytes of [gzipSync("no equals sign\n"), Buffer.from("not gzip")]) {
    const answer = await gitlab.upload(job, { bytes, name: ".env.gz" }, type);
    expect(answer).toMatchObject({ status: 400, json: { message: "Invalid Format" } });
  }
  expect((await gitlab.upload(job, { bytes: gzipSync("A=1\n") }, type)).status).toBe(201);
});
