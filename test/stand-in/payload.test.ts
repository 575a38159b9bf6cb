import { expect, test } from "vitest";
import { parseJob } from "../../src/core/job.ts";
import { gitLab, record, records } from "./gitlab.ts";

const pipeline = `
stages: [build, test]
variables:
  GREETING: "hello $CI_PROJECT_NAME"
  RAW: { value: "$GREETING", expand: false }
build:
  stage: build
  script: [echo one]
`;

test("the payload has every field of GitLab's, nulls included, and the runner's schema takes it", async () => {
  const gitlab = await gitLab({ jobTimeoutSeconds: 1800 });
  await gitlab.standIn.addFiles("hello", { ".gitlab-ci.yml": pipeline });
  expect((await gitlab.standIn.createPipeline("root/hello")).kind).toBe("pipeline");
  const job = await gitlab.claim();
  expect(parseJob(job).kind).toBe("job");
  expect(Object.keys(job).toSorted()).toEqual(
    [
      "allow_git_fetch",
      "artifacts",
      "cache",
      "credentials",
      "dependencies",
      "features",
      "git_info",
      "hooks",
      "id",
      "image",
      "inputs",
      "job_info",
      "runner_info",
      "services",
      "steps",
      "token",
      "variables",
    ].toSorted(),
  );
  expect(job["image"]).toBeNull();
  expect(job["artifacts"]).toBeNull();
  expect(job["runner_info"]).toEqual({ timeout: 1800, runner_session_url: null });
  expect(job["steps"]).toEqual([
    {
      name: "script",
      script: ["echo one"],
      timeout: 1800,
      when: "on_success",
      allow_failure: false,
    },
  ]);
  expect(job["job_info"]).toMatchObject({
    name: "build",
    stage: "build",
    project_name: "hello",
    project_full_path: "root/hello",
    project_jobs_running_on_instance_runners_count: "0",
  });
  expect(job["features"]).toMatchObject({ trace_sections: true, token_mask_prefixes: ["glpat-"] });
  expect(record(job["features"])["failure_reasons"]).toContain("runner_interrupted");
});

function variablesOf(job: Record<string, unknown>): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    records(job["variables"]).map((variable) => [String(variable["key"]), variable]),
  );
}

test("the variables: predefined, expanded once, and flags only where they are true", async () => {
  const gitlab = await gitLab({ clock: true });
  await gitlab.standIn.addFiles("hello", { ".gitlab-ci.yml": pipeline });
  await gitlab.standIn.createPipeline("root/hello", "main", { GIVEN: "at the start" });
  const job = await gitlab.claim();
  const variables = variablesOf(job);
  const value = (key: string) => variables[key]?.["value"];
  const { url } = gitlab.standIn;
  expect(variables["CI_JOB_TOKEN"]).toEqual({
    key: "CI_JOB_TOKEN",
    value: job.token,
    public: false,
    masked: true,
  });
  expect(variables["RAW"]).toMatchObject({ value: "$GREETING", raw: true });
  expect(value("GREETING")).toBe("hello hello");
  expect(variables["GIVEN"]).toMatchObject({ value: "at the start", public: false });
  expect(value("CI_SERVER_URL")).toBe(url);
  expect(value("CI_API_V4_URL")).toBe(`${url}/api/v4`);
  expect(value("CI_JOB_URL")).toBe(`${url}/root/hello/-/jobs/1`);
  expect(value("CI_REPOSITORY_URL")).toBe(record(job["git_info"])["repo_url"]);
  expect(value("CI_COMMIT_SHA")).toBe(record(job["git_info"])["sha"]);
  expect(value("CI_COMMIT_BRANCH")).toBe("main");
  expect(value("CI_COMMIT_TAG")).toBeUndefined();
  expect(value("CI_JOB_STARTED_AT")).toBe("2026-01-02T03:04:05Z");
  expect(value("CI_NODE_TOTAL")).toBe("1");
  expect(value("CI_NODE_INDEX")).toBeUndefined();
  expect(value("CI_REGISTRY")).toBeUndefined();
  expect(job["credentials"]).toEqual([]);
});

test("a registry comes with its variables and credentials", async () => {
  const gitlab = await gitLab({ registry: "registry.example:5000" });
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  expect(job["credentials"]).toEqual([
    {
      type: "registry",
      url: "registry.example:5000",
      username: "gitlab-ci-token",
      password: job.token,
    },
  ]);
  const image = variablesOf(job)["CI_REGISTRY_IMAGE"];
  expect(image?.["value"]).toBe("registry.example:5000/root/raw");
});

test("a tag's pipeline says so", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.addFiles("hello", { ".gitlab-ci.yml": pipeline });
  await gitlab.standIn.createRef("root/hello", "refs/tags/v1");
  await gitlab.standIn.createPipeline("root/hello", "v1");
  const job = await gitlab.claim();
  expect(job["git_info"]).toMatchObject({
    ref: "v1",
    ref_type: "tag",
    protected: false,
    refspecs: ["+refs/pipelines/1:refs/pipelines/1", "+refs/tags/v1:refs/tags/v1"],
  });
  expect(variablesOf(job)["CI_COMMIT_TAG"]?.["value"]).toBe("v1");
});

test.each([
  { depth: "0", expected: 0 },
  { depth: "5", expected: 5 },
  { depth: "many", expected: 0 },
])("GIT_DEPTH $depth makes a depth of $expected", async ({ depth, expected }) => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue({ variables: { GIT_DEPTH: depth } });
  const job = await gitlab.claim();
  const info = record(job["git_info"]);
  expect(info["depth"]).toBe(expected);
  const all = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"];
  const own = ["+refs/heads/main:refs/remotes/origin/main"];
  const specs: unknown[] = Array.isArray(info["refspecs"]) ? info["refspecs"] : [];
  expect(specs.slice(1)).toEqual(expected === 0 ? all : own);
});

test("a runner's own limit shortens the timeout", async () => {
  const gitlab = await gitLab();
  const created = await gitlab.rest("POST", "/user/runners", {
    runner_type: "instance_type",
    maximum_timeout: 900,
  });
  await gitlab.standIn.enqueue({ timeoutSeconds: 1000 });
  const job = await gitlab.claim({ token: record(created.json)["token"] });
  expect(record(job["runner_info"])["timeout"]).toBe(900);
});

test("a raw job's payload may be overwritten with anything", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue({ payload: { image: 7, steps: null, run: "[]" } });
  expect(await gitlab.claim()).toMatchObject({ image: 7, steps: null, run: "[]" });
});
