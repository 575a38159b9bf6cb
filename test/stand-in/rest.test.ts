import { expect, test } from "vitest";
import { gitLab, record, records } from "./gitlab.ts";

const yaml = `
stages: [build, test]
a: { stage: build, script: ["true"], artifacts: { paths: [a] } }
b: { stage: test, script: ["true"], when: manual, allow_failure: false }
`;

async function withProject() {
  const gitlab = await gitLab();
  await gitlab.standIn.addFiles("hello", { ".gitlab-ci.yml": yaml });
  return gitlab;
}

test.each([
  ["GET", "/projects"],
  ["GET", "/runners"],
  ["POST", "/user/runners"],
  ["POST", "/projects/1/pipeline?ref=main"],
  ["GET", "/projects/1/jobs/1/trace"],
])("%s %s without the API token is 401", async (method, path) => {
  const gitlab = await withProject();
  for (const headers of [{}, { "private-token": "glpat-wrong" }]) {
    const answer = await gitlab.call(method, `/api/v4${path}`, { headers });
    expect(answer).toMatchObject({ status: 401, json: { message: "401 Unauthorized" } });
  }
});

test("a project is found by number and by encoded path", async () => {
  const gitlab = await withProject();
  const listed = await gitlab.rest("GET", "/projects");
  expect(listed.json).toMatchObject([
    {
      id: 1,
      path_with_namespace: "root/hello",
      default_branch: "main",
      http_url_to_repo: `${gitlab.standIn.url}/root/hello.git`,
    },
  ]);
  expect((await gitlab.rest("GET", "/projects/root%2Fhello")).json).toMatchObject({ id: 1 });
  expect((await gitlab.rest("GET", "/projects/1")).json).toMatchObject({ id: 1 });
  expect(await gitlab.rest("GET", "/projects/2")).toMatchObject({
    status: 404,
    json: { message: "404 Project Not Found" },
  });
});

test("a pipeline is made by POST, in the query or in the body, and looked at by GET", async () => {
  const gitlab = await withProject();
  const made = await gitlab.rest("POST", "/projects/root%2Fhello/pipeline?ref=main");
  expect(made.status).toBe(201);
  expect(made.json).toMatchObject({
    id: 1,
    iid: 1,
    project_id: 1,
    ref: "main",
    status: "pending",
    source: "api",
    tag: false,
    detailed_status: { text: "Pending" },
    web_url: `${gitlab.standIn.url}/root/hello/-/pipelines/1`,
  });
  const second = await gitlab.rest("POST", "/projects/1/pipeline", {
    ref: "main",
    variables: [{ key: "A", value: "b" }],
  });
  expect(second.status).toBe(201);
  expect((await gitlab.rest("GET", "/projects/1/pipelines/2")).json).toMatchObject({ id: 2 });
  expect(records((await gitlab.rest("GET", "/projects/1/pipelines")).json)).toHaveLength(2);
  expect((await gitlab.rest("GET", "/projects/1/pipelines/3")).status).toBe(404);
});

test.each([
  { body: {}, json: { error: "ref is missing" } },
  { body: { ref: "nowhere" }, json: { message: { base: ["Reference not found"] } } },
  { body: { ref: "main", variables: "A=b" }, json: { error: "variables is invalid" } },
])("a pipeline of $body is 400", async ({ body, json }) => {
  const gitlab = await withProject();
  const answer = await gitlab.rest("POST", "/projects/1/pipeline", body);
  expect(answer).toMatchObject({ status: 400, json });
});

test("a job shows its runner, pipeline, commit, artifacts and times", async () => {
  const gitlab = await withProject();
  await gitlab.rest("POST", "/projects/1/pipeline?ref=main");
  const job = await gitlab.claim();
  await gitlab.patch(job, 0, "hello\n");
  await gitlab.upload(job, { bytes: "the archive" });
  await gitlab.put(job, { state: "success" });
  const shown = await gitlab.rest("GET", `/projects/1/jobs/${String(job.id)}`);
  expect(shown.json).toMatchObject({
    id: 1,
    name: "a",
    stage: "build",
    status: "success",
    ref: "main",
    tag: false,
    allow_failure: false,
    tag_list: [],
    pipeline: { id: 1, ref: "main" },
    commit: { title: "Import the files", author_name: "Administrator" },
    runner: { id: 1, runner_type: "instance_type" },
    runner_manager: { system_id: "s_0123456789ab" },
    artifacts_file: { filename: "artifacts.zip", size: 11 },
    artifacts: [{ file_type: "archive" }, { file_type: "trace", size: 6 }],
  });
  expect(shown.json).not.toHaveProperty("failure_reason");
  expect(record(shown.json)["duration"]).toBeTypeOf("number");
  const trace = await gitlab.rest("GET", "/projects/1/jobs/1/trace");
  expect(trace).toMatchObject({ status: 200, text: "hello\n" });
  expect(trace.headers.get("content-type")).toBe("text/plain");
  const archive = await gitlab.rest("GET", "/projects/1/jobs/1/artifacts");
  expect(archive).toMatchObject({ status: 200, text: "the archive" });
  expect(archive.headers.get("content-disposition")).toContain("artifacts.zip");
  expect((await gitlab.rest("GET", "/projects/1/jobs/2/artifacts")).status).toBe(404);
  expect((await gitlab.rest("GET", "/projects/1/jobs/99")).status).toBe(404);
});

test("a failed job shows why", async () => {
  const gitlab = await withProject();
  await gitlab.rest("POST", "/projects/1/pipeline?ref=main");
  const job = await gitlab.claim();
  await gitlab.put(job, { state: "failed", failure_reason: "script_failure" });
  expect((await gitlab.rest("GET", "/projects/1/jobs/1")).json).toMatchObject({
    status: "failed",
    failure_reason: "script_failure",
  });
});

test("jobs are listed newest first, by scope and page, retried ones only when asked", async () => {
  const gitlab = await withProject();
  await gitlab.rest("POST", "/projects/1/pipeline?ref=main");
  const names = async (path: string) =>
    records((await gitlab.rest("GET", path)).json).map((job) => job["id"]);
  expect(await names("/projects/1/jobs")).toEqual([2, 1]);
  expect(await names("/projects/1/jobs?scope=pending")).toEqual([1]);
  expect(await names("/projects/1/jobs?scope[]=pending&scope[]=created")).toEqual([2, 1]);
  expect((await gitlab.rest("GET", "/projects/1/jobs?scope=odd")).status).toBe(400);
  const page = await gitlab.rest("GET", "/projects/1/jobs?per_page=1&page=2");
  expect(records(page.json).map((job) => job["id"])).toEqual([1]);
  expect(page.headers.get("x-total")).toBe("2");
  expect(page.headers.get("x-prev-page")).toBe("1");
  expect(page.headers.get("link")).toContain('rel="first"');
  expect((await gitlab.rest("GET", "/projects/1/jobs?page=0")).status).toBe(400);

  await gitlab.put(await gitlab.claim(), { state: "failed" });
  await gitlab.rest("POST", "/projects/1/jobs/1/retry");
  expect(await names("/projects/1/pipelines/1/jobs")).toEqual([3, 2]);
  expect(await names("/projects/1/pipelines/1/jobs?include_retried=true")).toEqual([3, 2, 1]);
});

test("cancel is 201 and graceful first; with force it is final", async () => {
  const gitlab = await withProject();
  await gitlab.rest("POST", "/projects/1/pipeline?ref=main");
  await gitlab.claim();
  const cancel = (body?: unknown) => gitlab.rest("POST", "/projects/1/jobs/1/cancel", body);
  expect(await cancel()).toMatchObject({ status: 201, json: { status: "canceling" } });
  expect(await cancel({ force: true })).toMatchObject({ json: { status: "canceled" } });
  expect(await cancel()).toMatchObject({ status: 201, json: { status: "canceled" } });
});

test("retry is 201 with the new job; one that runs, or was retried, is 403", async () => {
  const gitlab = await withProject();
  await gitlab.rest("POST", "/projects/1/pipeline?ref=main");
  const retry = () => gitlab.rest("POST", "/projects/1/jobs/1/retry");
  const job = await gitlab.claim();
  expect(await retry()).toMatchObject({
    status: 403,
    json: { message: "403 Forbidden - Job is not retryable" },
  });
  await gitlab.put(job, { state: "failed" });
  expect(await retry()).toMatchObject({ status: 201, json: { id: 3, status: "pending" } });
  expect((await retry()).status).toBe(403);
});

test("play starts a manual job, and only such a one", async () => {
  const gitlab = await withProject();
  await gitlab.rest("POST", "/projects/1/pipeline?ref=main");
  const play = () => gitlab.rest("POST", "/projects/1/jobs/2/play");
  expect((await play()).status).toBe(400);
  await gitlab.put(await gitlab.claim(), { state: "success" });
  expect((await gitlab.rest("GET", "/projects/1/pipelines/1")).json).toMatchObject({
    status: "manual",
    detailed_status: { label: "blocked" },
  });
  expect(await play()).toMatchObject({ status: 200, json: { status: "pending" } });
  expect((await gitlab.claim()).id).toBe(2);
});

test("a whole pipeline is canceled", async () => {
  const gitlab = await withProject();
  await gitlab.rest("POST", "/projects/1/pipeline?ref=main");
  const answer = await gitlab.rest("POST", "/projects/1/pipelines/1/cancel");
  expect(answer).toMatchObject({ status: 200, json: { status: "canceled" } });
});

test("a runner is made for the instance or one project, changed, and removed", async () => {
  const gitlab = await withProject();
  await gitlab.standIn.addFiles("other", { "a.txt": "a" });
  const made = await gitlab.rest("POST", "/user/runners", {
    runner_type: "project_type",
    project_id: 2,
    description: "mine",
    tag_list: "a,b",
  });
  expect(made.status).toBe(201);
  const { id, token } = record(made.json);
  expect(String(token)).toMatch(/^glrt-/);
  await gitlab.standIn.enqueue({ project: "root/hello" });
  expect((await gitlab.requestJob({ token })).status).toBe(204);
  await gitlab.standIn.enqueue({ project: "root/other" });
  expect((await gitlab.requestJob({ token })).status).toBe(201);
  const path = `/runners/${String(id)}`;
  expect((await gitlab.rest("PUT", path, { paused: true })).json).toMatchObject({ paused: true });
  expect(records((await gitlab.rest("GET", "/runners")).json)).toHaveLength(2);
  expect((await gitlab.rest("DELETE", path)).status).toBe(204);
  expect((await gitlab.rest("GET", path)).status).toBe(404);
  expect((await gitlab.requestJob({ token })).status).toBe(403);
});

test.each([
  { body: {}, error: "runner_type is missing" },
  { body: { runner_type: "odd" }, error: "runner_type does not have a valid value" },
  { body: { runner_type: "project_type" }, error: "project_id is invalid" },
  { body: { runner_type: "instance_type", paused: "maybe" }, error: "paused is invalid" },
])("a runner of $body is 400: $error", async ({ body, error }) => {
  const gitlab = await gitLab();
  const answer = await gitlab.rest("POST", "/user/runners", body);
  expect(answer).toMatchObject({ status: 400, json: { error } });
});
