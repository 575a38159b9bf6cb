import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { until } from "../../harness/processes.ts";
import { record } from "../../stand-in/gitlab.ts";
import type { ClaimedJob } from "../../stand-in/gitlab.ts";
import { grantsOf } from "./bucket.ts";
import { taskArn } from "./metadata-endpoint.ts";
import { earlier, inherited, playTask } from "./task-scene.ts";

const taskId = taskArn.split("/").at(-1) ?? "";

test("a job is green, and its log tells the whole story from the launcher's first line on", async () => {
  const scene = await playTask({
    raw: { script: ["echo hello from $CI_JOB_NAME"], name: "greet" },
  });
  const { gitlab, job, bucket } = scene;
  expect(await scene.ended).toBe(0);
  const view = gitlab.standIn.job(job.id);
  expect(view.status).toBe("success");
  const text = scene.trace();
  expect(text).toMatch(/^Starting a task: 1 vCPU, 2048 MiB\nRunning with gitlab-burst 1\.0\.0\n/);
  expect(text).toContain(
    "  this log on AWS: https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1" +
      `#logsV2:log-groups/log-group/$252Fburst$252Fjobs/log-events/burst$252Fagent$252F${taskId}\n`,
  );
  expect(text).toContain(
    'Preparing the "fargate" executor\nUsing fargate executor...\nCapacity: on-demand\n',
  );
  expect(text).toContain(
    "Start-up took 21.5 s: 0.8 s until the task was asked for, 9.3 s until it had a machine, " +
      "10.5 s to pull the images, 0.9 s until the job's container ran\n",
  );
  expect(text).toContain("$ echo hello from $CI_JOB_NAME\nhello from greet\n");
  expect(text.trimEnd().split("\n").at(-1)).toBe("Job succeeded");
  // The launcher's bytes were sent once, and belong to the checksum.
  expect(view.reported).toEqual({ checksum: view.traceChecksum, bytesize: view.traceSize });
  expect(view.trace().toString().split(inherited)).toHaveLength(2);
  expect(scene.mirrored()).toBe(view.trace().toString());
  expect(JSON.parse(bucket.objects.get("started") ?? "")).toMatchObject({ attempt: 1 });
  expect(JSON.parse(bucket.objects.get("result.json") ?? "")).toEqual({
    attempt: 1,
    kind: "result",
    result: "success",
  });
  expect(bucket.seen).toEqual(["GET hand-off.json 200", "PUT started 200", "PUT result.json 200"]);
});

test("the address of the hand-off is out of the environment of all that the agent starts", async () => {
  const scene = await playTask({
    raw: { script: ["env"], hooks: [] },
  });
  expect(await scene.ended).toBe(0);
  expect(scene.trace()).not.toContain("hand-off.json");
  expect(scene.trace()).not.toContain("BURST_HAND_OFF_URL");
});

test("the result lies in the bucket before GitLab is told", async () => {
  const states: unknown[] = [];
  const scene = await playTask({
    raw: { script: ["exit 3"] },
    prepare: ({ gitlab, job, bucket }) =>
      bucket.onPut((name) => {
        if (name === "result.json") states.push(gitlab.standIn.job(job.id).status);
      }),
  });
  expect(await scene.ended).toBe(0);
  expect(states).toEqual(["running"]);
  expect(JSON.parse(scene.bucket.objects.get("result.json") ?? "")).toEqual({
    attempt: 1,
    kind: "result",
    result: "failed",
    failureReason: "script_failure",
    exitCode: 3,
  });
  expect(scene.gitlab.standIn.job(scene.job.id)).toMatchObject({ status: "failed", exitCode: 3 });
});

test("a result that the bucket does not take is a diagnostic, and GitLab is told all the same", async () => {
  const scene = await playTask({
    prepare: ({ bucket }) => bucket.fail("result.json", 403, 403, 403, 403, 403),
  });
  expect(await scene.ended).toBe(0);
  expect(scene.gitlab.standIn.job(scene.job.id).status).toBe("success");
  expect(scene.diagnostics()).toContain("the result could not be left in the bucket");
  expect(scene.diagnostics()).not.toContain("X-Method");
});

test("where an attempt before wrote to the log, ours goes behind it, without a checksum", async () => {
  const scene = await playTask({
    raw: { script: ["echo again"] },
    prepare: ({ gitlab, job }) => gitlab.patch(job, Buffer.byteLength(inherited), earlier),
  });
  expect(await scene.ended).toBe(0);
  const view = scene.gitlab.standIn.job(scene.job.id);
  expect(view.status).toBe("success");
  expect(scene.trace()).toContain(
    "2048 MiB\nthe first attempt was here\nRunning with gitlab-burst 1.0.0\n",
  );
  expect(view.reported).toEqual({ checksum: undefined, bytesize: view.traceSize });
  expect(scene.trace().trimEnd().endsWith("Job succeeded")).toBe(true);
});

test("a killed script is told of its memory: for certain where it was seen, else as likely", async () => {
  const [seen, unseen] = await Promise.all([
    playTask({
      raw: { script: ["echo begun", "sleep 1.5", "exit 137"] },
      prepare: ({ endpoint }) => {
        const job = endpoint.containers["job"];
        if (job !== undefined) job.usedBytes = 1780 * 1024 * 1024;
      },
    }),
    playTask({ raw: { script: ["exit 137"] } }),
  ]);
  expect(await Promise.all([seen.ended, unseen.ended])).toEqual([0, 0]);
  expect(seen.trace()).toContain("the job ran out of memory: its limit is 1792 MiB");
  expect(unseen.trace()).toContain("Fargate does not tell by whom");
  expect(unseen.gitlab.standIn.job(unseen.job.id)).toMatchObject({ exitCode: 137 });
});

test("services are known by name in both containers, waited for, and their ends told", async () => {
  const listener = createServer();
  await new Promise<void>((resolve) => void listener.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void listener.close());
  const { port } = listener.address() as AddressInfo;
  const scene = await playTask({
    raw: {
      payload: { image: { name: "alpine:3" }, services: [{ name: "postgres:17" }] },
      script: ["echo begun", "sleep 2"],
    },
    task: {
      services: [
        { container: "svc-0", name: "postgres:17", hostnames: ["postgres", "db"], ports: [port] },
      ],
      hosts: [{ name: "registry.example.com", address: "10.0.0.7" }],
    },
    prepare: ({ endpoint }) => {
      endpoint.containers["svc-0"] = { image: "postgres:17", status: "NONE" };
    },
  });
  await until("the pull", () => scene.mirrored().includes("Pulling image postgres:17 ..."));
  scene.endpoint.containers["svc-0"] = { image: "postgres:17", status: "RUNNING" };
  await until("the script", () => scene.mirrored().includes("begun"));
  scene.endpoint.containers["svc-0"] = { image: "postgres:17", status: "STOPPED", exitCode: 1 };
  expect(await scene.ended).toBe(0);
  const names = "127.0.0.1 localhost\n127.0.0.1 postgres db\n10.0.0.7 registry.example.com\n";
  expect(scene.hostsFile("agent")).toBe(names);
  expect(scene.hostsFile("job")).toBe(names);
  expect(scene.trace()).toContain("Waiting for services to be up and running");
  expect(scene.trace()).not.toContain("probably didn't start");
});

test("an image that lets no name be added is warned of what is not reachable by name", async () => {
  const scene = await playTask({
    readOnlyHosts: true,
    task: { hosts: [{ name: "registry.example.com", address: "10.0.0.7" }] },
  });
  expect(await scene.ended).toBe(0);
  expect(scene.trace()).toContain("registry.example.com (10.0.0.7): use the address instead");
});

test("a cache is looked for and kept in the bucket, by addresses that were renewed", async () => {
  const scene = await playTask({
    raw: {
      script: ["mkdir -p deps", "echo x > deps/x"],
      cache: [{ key: "deps", paths: ["deps/"], policy: "pull-push", when: "on_success" }],
    },
    prepare: ({ bucket, job }) => {
      const cache = cacheName(job);
      bucket.objects.set("grants.json", JSON.stringify(grantsOf(bucket, Date.now(), [cache])));
    },
    // As of a task that waited long for its machine: none of the caches can be reached by these.
    grants: (bucket) => grantsOf(bucket, Date.now() - 21 * 60_000),
  });
  expect(await scene.ended).toBe(0);
  const cache = cacheName(scene.job);
  expect(scene.bucket.seen).toEqual([
    "GET hand-off.json 200",
    "GET grants.json 200",
    `GET ${cache} 404`,
    "PUT started 200",
    `PUT ${cache} 200`,
    "PUT result.json 200",
  ]);
  expect(scene.trace()).toContain("Cache file does not exist");
  expect(scene.trace()).toContain("Created cache");
  expect(scene.trace()).not.toContain("X-Method");
});

function cacheName({ job_info: info }: ClaimedJob): string {
  return `runner/abc/project/${String(record(info)["project_id"])}/deps`;
}
