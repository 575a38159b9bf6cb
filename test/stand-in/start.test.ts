import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { startStandIn } from "../../src/stand-in/start.ts";
import { gitLab } from "./gitlab.ts";

function temporary(): string {
  const path = mkdtempSync(join(tmpdir(), "burst-start-test-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Sends bytes as they are and gives back the answer's first line. */
function raw(url: string, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const { port, hostname } = new URL(url);
    const socket = connect(Number(port), hostname);
    let answer = "";
    socket.on("data", (chunk) => {
      answer += chunk.toString();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(answer.split("\r\n")[0] ?? ""));
    socket.write(bytes);
    socket.end();
  });
}

test("nothing is left on disk after close, and a held request ends", async () => {
  const gitlab = await gitLab({ longPollSeconds: 60 });
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  await gitlab.patch(job, 0, "hello");
  await gitlab.upload(job, { bytes: "zip" });
  const folder = dirname(dirname(gitlab.standIn.job(job.id).artifacts[0]?.file ?? ""));
  expect(readdirSync(folder)).toContain("traces");
  const value = (await gitlab.requestJob()).headers.get("x-gitlab-last-update");
  const held = gitlab.requestJob({ last_update: value }).then(
    (answer) => answer.status,
    () => "cut",
  );
  const { length } = gitlab.standIn.requests();
  await vi.waitUntil(() => gitlab.standIn.requests()[length]?.body !== undefined, { interval: 5 });
  await gitlab.standIn.close();
  await gitlab.standIn.close();
  expect(existsSync(folder)).toBe(false);
  expect(["cut", 204]).toContain(await held);
});

test.each([
  { options: { projects: ["/nowhere/at/all"] }, says: "there is no such folder" },
  { options: { projects: [import.meta.filename] }, says: "is not a folder" },
  { options: { publicUrl: "ftp://example" }, says: "not an http:// or https:// address" },
  { options: { listen: "203.0.113.7" }, says: "cannot listen there" },
])("a start that cannot be says why: $says", async ({ options, says }) => {
  await expect(startStandIn(options)).rejects.toThrow(says);
});

test("two folders of one name cannot both be projects", async () => {
  const parent = temporary();
  const folders = ["one", "two"].map((name) => join(parent, name, "same"));
  for (const folder of folders) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "a.txt"), "a");
  }
  await expect(startStandIn({ projects: folders })).rejects.toThrow(
    "there is already a project root/same",
  );
});

test("a folder's name becomes a path that GitLab would allow", async () => {
  const folder = join(temporary(), "-my project (1).git");
  mkdirSync(folder);
  const gitlab = await gitLab({ projects: [folder] });
  expect(gitlab.standIn.projects()).toMatchObject([{ id: 1, path: "root/my-project-1" }]);
});

test("the public URL is the one in every answer", async () => {
  const gitlab = await gitLab({ publicUrl: "http://gitlab.example:8080/" });
  const job = await gitlab.standIn.enqueue();
  expect(job.url).toBe("http://gitlab.example:8080/root/raw/-/jobs/1");
  expect(new URL(gitlab.standIn.storageUrl).hostname).toBe("gitlab.example");
});

test("an unknown job, project or pipeline is an error that names it", async () => {
  const gitlab = await gitLab();
  expect(() => gitlab.standIn.job(7)).toThrow("no job 7");
  expect(() => gitlab.standIn.pipeline(7)).toThrow("no pipeline 7");
  await expect(gitlab.standIn.createPipeline("root/none")).rejects.toThrow("no project root/none");
});

test.each([
  { what: "no HTTP at all", bytes: "\x16\x03\x01\x00 rubbish\r\n\r\n", status: "400" },
  {
    what: "a bad path",
    bytes: "GET /api/v4/projects/%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    status: "404",
  },
  {
    what: "a path that is no URL",
    bytes: "GET //[ HTTP/1.1\r\nHost: x\r\n\r\n",
    status: "400",
  },
  {
    what: "an unfinished body",
    bytes: "POST /api/v4/jobs/request HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{",
    status: undefined,
  },
  {
    what: "a bad length",
    bytes: "POST /api/v4/jobs/request HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    status: "400",
  },
])("$what does not bring it down", async ({ bytes, status }) => {
  const gitlab = await gitLab();
  const line = await raw(gitlab.standIn.url, bytes);
  if (status !== undefined) expect(line).toContain(` ${status} `);
  expect((await gitlab.requestJob()).status).toBe(204);
});

test.each([
  ["GET", "/", 404],
  ["GET", "/api/v4/nothing", 404],
  ["GET", "/api/v4/jobs/request", 405],
  ["PATCH", "/api/v4/jobs/abc/trace", 415],
  ["PUT", "/api/v4/jobs/9999999999999999999", 400],
  ["POST", "/api/v4/jobs/1/artifacts", 403],
  ["GET", "/api/v4/jobs/1/artifacts", 401],
  ["GET", "/root/../etc.git/info/refs?service=git-upload-pack", 401],
  ["OPTIONS", "/api/v4/runners", 405],
])("%s %s is %i", async (method, path, status) => {
  const gitlab = await gitLab();
  expect((await gitlab.call(method, path)).status).toBe(status);
});

test("a client that leaves in the middle of an upload leaves nothing behind", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  const part = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\nhalf';
  await raw(
    gitlab.standIn.url,
    `POST /api/v4/jobs/1/artifacts HTTP/1.1\r\nHost: x\r\nJOB-TOKEN: ${job.token}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n${part}`,
  );
  expect((await gitlab.upload(job, { bytes: "zip" })).status).toBe(201);
  const [kept] = gitlab.standIn.job(job.id).artifacts;
  const folder = dirname(kept?.file ?? "");
  await vi.waitUntil(() => readdirSync(folder).length === 1, { interval: 5, timeout: 5000 });
});
