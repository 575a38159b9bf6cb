import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { ClaimedJob, TestGitLab } from "./gitlab.ts";
import { gitLab, record, records } from "./gitlab.ts";

async function pipelineOf(yaml: string, options: Parameters<typeof gitLab>[0] = {}) {
  const gitlab = await gitLab(options);
  await gitlab.standIn.addFiles("hello", { ".gitlab-ci.yml": yaml });
  const created = await gitlab.standIn.createPipeline("root/hello");
  if (created.kind === "invalid") throw new Error(created.errors.join("\n"));
  return { gitlab, id: created.pipeline.id };
}

function statuses(gitlab: TestGitLab, pipelineId = 1): Record<string, string> {
  const { jobs } = gitlab.standIn.pipeline(pipelineId);
  return Object.fromEntries(jobs.map(({ name, status }) => [name, status]));
}

/** Runs every job that is offered: as `ends` says by name, else to success. */
async function runAll(gitlab: TestGitLab, ends: Record<string, Record<string, unknown>> = {}) {
  const ran: string[] = [];
  for (;;) {
    const answer = await gitlab.requestJob();
    if (answer.status !== 201) return ran;
    const job = record(answer.json);
    const name = String(record(job["job_info"])["name"]);
    ran.push(name);
    const claimed = { id: Number(job["id"]), token: String(job["token"]) };
    await gitlab.put(claimed, ends[name] ?? { state: "success" });
  }
}

const failure = { state: "failed", failure_reason: "script_failure", exit_code: 1 };

test("stages run one after another, and the pipeline's status follows", async () => {
  const { gitlab, id } = await pipelineOf(`
stages: [build, test]
a: { stage: build, script: ["true"] }
b: { stage: test, script: ["true"] }
`);
  expect(gitlab.standIn.pipeline(id).status).toBe("pending");
  const first = await gitlab.claim();
  expect(gitlab.standIn.pipeline(id).status).toBe("running");
  expect(statuses(gitlab)).toEqual({ a: "running", b: "created" });
  await gitlab.put(first, { state: "success" });
  expect(statuses(gitlab)).toEqual({ a: "success", b: "pending" });
  expect(await runAll(gitlab)).toEqual(["b"]);
  expect(gitlab.standIn.pipeline(id).status).toBe("success");
});

test("a failure skips what follows but on_failure and always", async () => {
  const { gitlab, id } = await pipelineOf(`
stages: [build, test, deploy]
a: { stage: build, script: ["false"] }
b: { stage: test, script: ["true"] }
cleanup: { stage: test, script: ["true"], when: on_failure }
report: { stage: deploy, script: ["true"], when: always }
`);
  expect(await runAll(gitlab, { a: failure })).toEqual(["a", "cleanup", "report"]);
  expect(statuses(gitlab)).toMatchObject({ b: "skipped", cleanup: "success" });
  expect(gitlab.standIn.pipeline(id).status).toBe("failed");
});

test("needs: the job starts at once, with the artifacts of what it names only", async () => {
  const { gitlab } = await pipelineOf(`
stages: [build, test]
slow: { stage: build, script: ["true"] }
quick: { stage: build, script: ["true"], artifacts: { paths: [a] } }
other: { stage: build, script: ["true"] }
eager: { stage: test, script: ["true"], needs: [quick, { job: other, artifacts: false }] }
`);
  const slow = await gitlab.claim();
  const quick = await gitlab.claim();
  const other = await gitlab.claim();
  expect(record(slow["job_info"])["name"]).toBe("slow");
  await gitlab.upload(quick, { bytes: "zip" });
  await gitlab.put(quick, { state: "success" });
  await gitlab.put(other, { state: "success" });
  const eager = await gitlab.claim();
  expect(eager["dependencies"]).toEqual([
    {
      id: quick.id,
      name: "quick",
      token: eager.token,
      artifacts_file: { filename: "artifacts.zip", size: 3 },
    },
  ]);
});

function dependencyNames(job: ClaimedJob): unknown[] {
  return records(job["dependencies"]).map((dependency) => dependency["name"]);
}

test("dependencies: all of the earlier stages by default, those named, or none", async () => {
  const { gitlab } = await pipelineOf(`
stages: [build, test]
a: { stage: build, script: ["true"], artifacts: { paths: [a] } }
b: { stage: build, script: ["true"] }
all: { stage: test, script: ["true"] }
one: { stage: test, script: ["true"], dependencies: [a] }
none: { stage: test, script: ["true"], dependencies: [] }
`);
  for (let count = 0; count < 2; count += 1) {
    await gitlab.put(await gitlab.claim(), { state: "success" });
  }
  const [all, one, none] = [await gitlab.claim(), await gitlab.claim(), await gitlab.claim()];
  expect(dependencyNames(all)).toEqual(["a", "b"]);
  expect(records(all["dependencies"])[1]).not.toHaveProperty("artifacts_file");
  expect(dependencyNames(one)).toEqual(["a"]);
  expect(none["dependencies"]).toEqual([]);
});

test("a job whose dependency's artifacts have expired fails without being handed out", async () => {
  const { gitlab } = await pipelineOf(
    `
stages: [build, test]
a: { stage: build, script: ["true"], artifacts: { paths: [a] } }
b: { stage: test, script: ["true"], retry: 2 }
`,
  );
  const a = await gitlab.claim();
  await gitlab.upload(a, { bytes: "zip" });
  gitlab.standIn.expireArtifacts(a.id);
  await gitlab.put(a, { state: "success" });
  expect((await gitlab.requestJob()).status).toBe(204);
  const [, b] = gitlab.standIn.pipeline(1).jobs;
  expect(b).toMatchObject({ status: "failed", failureReason: "missing_dependency_failure" });
});

test("variables of a dotenv report reach the jobs that depend on it", async () => {
  const { gitlab } = await pipelineOf(`
stages: [build, test]
a: { stage: build, script: ["true"], artifacts: { reports: { dotenv: .env } } }
b: { stage: test, script: ["true"] }
c: { stage: test, script: ["true"], dependencies: [] }
`);
  const a = await gitlab.claim();
  const type = { artifact_type: "dotenv", artifact_format: "gzip" };
  await gitlab.upload(a, { bytes: gzipSync("VERSION=1.2\n"), name: ".env.gz" }, type);
  await gitlab.put(a, { state: "success" });
  const has = (job: ClaimedJob) =>
    records(job["variables"]).some(({ key, value }) => key === "VERSION" && value === "1.2");
  expect([has(await gitlab.claim()), has(await gitlab.claim())]).toEqual([true, false]);
});

test.each([
  { retry: "2", end: failure, attempts: 3 },
  { retry: "{ max: 1, when: script_failure }", end: failure, attempts: 2 },
  { retry: "{ max: 1, when: runner_system_failure }", end: failure, attempts: 1 },
  { retry: "{ max: 1, exit_codes: 3 }", end: { ...failure, exit_code: 3 }, attempts: 2 },
  { retry: "{ max: 1, exit_codes: 3 }", end: { ...failure, exit_code: 4 }, attempts: 1 },
])("retry: $retry makes $attempts attempts of $end", async ({ retry, end, attempts }) => {
  const { gitlab, id } = await pipelineOf(`a: { script: ["false"], retry: ${retry} }`);
  expect(await runAll(gitlab, { a: end })).toHaveLength(attempts);
  const { jobs, status } = gitlab.standIn.pipeline(id);
  expect(jobs.map((job) => job.retried)).toEqual([...Array(attempts - 1).fill(true), false]);
  expect(status).toBe("failed");
});

test("a retry that succeeds makes the pipeline go on", async () => {
  const { gitlab, id } = await pipelineOf(`
stages: [build, test]
a: { stage: build, script: ["false"], retry: 1 }
b: { stage: test, script: ["true"] }
`);
  await gitlab.put(await gitlab.claim(), failure);
  expect(gitlab.standIn.pipeline(id).status).not.toBe("failed");
  expect(await runAll(gitlab)).toEqual(["a", "b"]);
  expect(gitlab.standIn.pipeline(id).status).toBe("success");
});

test.each([
  { allow: "true", exitCode: 1, status: "success" },
  { allow: "{ exit_codes: [3, 4] }", exitCode: 4, status: "success" },
  { allow: "{ exit_codes: [3, 4] }", exitCode: 5, status: "failed" },
])(
  "allow_failure: $allow and exit code $exitCode: $status",
  async ({ allow, exitCode, status }) => {
    const { gitlab, id } = await pipelineOf(`a: { script: ["false"], allow_failure: ${allow} }`);
    await runAll(gitlab, { a: { ...failure, exit_code: exitCode } });
    expect(gitlab.standIn.pipeline(id).status).toBe(status);
    expect(gitlab.standIn.pipeline(id).jobs[0]?.status).toBe("failed");
  },
);

test("a manual job waits until it is played, and holds up nobody", async () => {
  const { gitlab, id } = await pipelineOf(`
stages: [build, test]
a: { stage: build, script: ["true"], when: manual }
b: { stage: test, script: ["true"] }
`);
  expect(await runAll(gitlab)).toEqual(["b"]);
  expect(statuses(gitlab)["a"]).toBe("manual");
  expect(gitlab.standIn.pipeline(id).status).toBe("success");
  expect(gitlab.standIn.play(1)).toBe("played");
  expect(await runAll(gitlab)).toEqual(["a"]);
  expect(gitlab.standIn.play(1)).toBe("refused");
});

test("retrying a failed job by hand gives skipped jobs another chance", async () => {
  const { gitlab, id } = await pipelineOf(`
stages: [build, test, deploy]
a: { stage: build, script: ["false"] }
b: { stage: test, script: ["true"] }
c: { stage: deploy, script: ["true"], needs: [b] }
`);
  await runAll(gitlab, { a: failure });
  expect(statuses(gitlab)).toEqual({ a: "failed", b: "skipped", c: "skipped" });
  expect(gitlab.standIn.retry(1)).toBe("retried");
  expect(gitlab.standIn.retry(1)).toBe("refused");
  expect(await runAll(gitlab)).toEqual(["a", "b", "c"]);
  expect(gitlab.standIn.pipeline(id).status).toBe("success");
});

test("a job that waits is canceled at once, and with it what comes after", async () => {
  const { gitlab, id } = await pipelineOf(`
stages: [build, test]
a: { stage: build, script: ["true"] }
b: { stage: test, script: ["true"] }
`);
  gitlab.standIn.cancel(1);
  expect(statuses(gitlab)).toEqual({ a: "canceled", b: "skipped" });
  expect(gitlab.standIn.pipeline(id).status).toBe("canceled");
  expect((await gitlab.requestJob()).status).toBe(204);
});

test("parallel jobs are each handed out with their place", async () => {
  const { gitlab } = await pipelineOf(`a: { script: ["true"], parallel: 2 }`);
  const jobs = [await gitlab.claim(), await gitlab.claim()];
  const places = jobs.map((job) => {
    const values = Object.fromEntries(
      records(job["variables"]).map(({ key, value }) => [String(key), value]),
    );
    return [values["CI_JOB_NAME"], values["CI_NODE_INDEX"], values["CI_NODE_TOTAL"]];
  });
  expect(places).toEqual([
    ["a 1/2", "1", "2"],
    ["a 2/2", "2", "2"],
  ]);
});

test("a pipeline file with a mistake says where; one that is not there, that", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.addFiles("wrong", { ".gitlab-ci.yml": "a:\n  skript: [x]\n" });
  await gitlab.standIn.addFiles("none", { "README.md": "" });
  const wrong = await gitlab.standIn.createPipeline("root/wrong");
  expect(wrong.kind === "invalid" ? wrong.errors.join() : "").toContain('line 2: "skript"');
  const none = await gitlab.standIn.createPipeline("root/none");
  expect(none).toMatchObject({ kind: "invalid", errors: [expect.stringContaining("Missing CI")] });
  const ref = await gitlab.standIn.createPipeline("root/none", "nowhere");
  expect(ref).toEqual({ kind: "invalid", errors: ["Reference not found"] });
});

test("events tell of every change, and waiting for one ends with it", async () => {
  const events: string[] = [];
  const gitlab = await gitLab({
    onEvent: (event) => {
      if (event.kind === "trace") events.push(`trace ${event.bytes.toString()}`);
      else if (event.kind === "artifact") events.push(`artifact ${event.artifact.type}`);
      else events.push(`${event.kind} ${event.status}`);
    },
  });
  await gitlab.standIn.enqueue();
  const waiting = gitlab.standIn.waitForPipeline(1);
  const job = await gitlab.claim();
  await gitlab.patch(job, 0, "hi");
  await gitlab.upload(job, { bytes: "zip" });
  await gitlab.put(job, { state: "success" });
  expect((await waiting).status).toBe("success");
  expect((await gitlab.standIn.waitForJob(job.id)).trace().toString()).toBe("hi");
  expect(events).toEqual([
    "job pending",
    "pipeline pending",
    "job running",
    "pipeline running",
    "trace hi",
    "artifact archive",
    "job success",
    "pipeline success",
  ]);
});

test("waiting in vain says what the job was doing", async () => {
  const gitlab = await gitLab();
  const job = await gitlab.standIn.enqueue();
  await expect(gitlab.standIn.waitForJob(job.id, ["success"], 10)).rejects.toThrow(
    "after 10 ms job 1 is pending",
  );
});
