// Jobs that end in every way there is, and what they leave in the engine: nothing. In an engine of their own, whose
// containers, networks, volumes, images and mounts are compared before and after.

import { deepStrictEqual } from "node:assert";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { packageVersion } from "../../src/cli/package-version.ts";
import { agentImageName } from "../../src/local/agent-image/ensure-agent-image.ts";
import { openContained, settled, until } from "../harness/containers.ts";
import type { Contained } from "../harness/containers.ts";
import { startMuteServer } from "../harness/mute-server.ts";
import type { MuteServer } from "../harness/mute-server.ts";
import { startOwnEngine } from "../harness/own-engine.ts";
import type { EngineHoldings, OwnEngine } from "../harness/own-engine.ts";
import { startRunner } from "../harness/runner.ts";
import { openScene } from "../harness/scene.ts";

const agentImage = agentImageName(packageVersion());
let engine: OwnEngine;
let mute: MuteServer;
let contained: Contained;
let before: EngineHoldings & { readonly files: readonly string[] };

beforeAll(async () => {
  // Nobody else's files shall be counted.
  process.env["TMPDIR"] = mkdtempSync(join(tmpdir(), "burst-left-"));
  engine = await startOwnEngine(["busybox:latest", "redis:7", agentImage]);
  mute = await startMuteServer();
  contained = await openContained({
    concurrent: 8,
    settings: { memory: "512m", volumes: ["/anonymous"], wait_for_services_timeout: 100 },
  });
  before = await holdings();
});

afterAll(async () => {
  await contained?.runner.close();
  await mute?.close();
  await engine?.close();
  rmSync(tmpdir(), { recursive: true, force: true });
});

async function holdings() {
  const held = await engine.holds();
  // Caches are there to stay.
  const volumes = held.volumes.filter((name) => !name.startsWith("burst-cache-"));
  const files = readdirSync(tmpdir()).filter((name) => /^burst-\d+-/.test(name));
  return { ...held, volumes, files: files.toSorted() };
}

afterEach(async ({ task }) => {
  if (task.name.includes("engine itself")) return;
  await settled(contained.runner);
  deepStrictEqual(await holdings(), before);
});

/** Starts one job and waits for the words in its log. */
async function startJob(name: string, yaml: string, words: string): Promise<number> {
  await contained.start(`${name}: {${yaml}}\n`);
  await contained.traceHas(name, words);
  return contained.job(name).id;
}

async function ended(name: string) {
  await contained.gitlab.waitForJob(contained.job(name).id, undefined, 220_000);
  const { status, failureReason } = contained.job(name);
  return [status, failureReason];
}

const begun = "image: busybox, script: [echo begun, sleep 1000], after_script: [echo after]";

/** What is done to a job once its log has the words, and what becomes of it. A silent one is heard every 30 s. */
const ways: readonly {
  readonly name: string;
  readonly yaml: () => string;
  readonly words: string;
  readonly act?: (id: number) => Promise<void> | void;
  readonly end: readonly [string, string | undefined];
  readonly says?: string;
}[] = [
  {
    name: "canceled-in-pull",
    yaml: () => `image: "${mute.address}/a:1", script: ["true"]`,
    words: "Pulling docker",
    act: (id) => contained.gitlab.cancel(id),
    end: ["canceled", undefined],
  },
  {
    name: "canceled-in-service-wait",
    yaml: () =>
      'image: busybox, services: [{name: "redis:7", entrypoint: [""], command: [sleep, "1000"]}], script: [echo ran]',
    words: "Waiting for services",
    act: (id) => contained.gitlab.cancel(id),
    end: ["canceled", undefined],
  },
  {
    name: "canceled-in-script",
    yaml: () => begun,
    words: "\nbegun\n",
    act: (id) => contained.gitlab.cancel(id),
    end: ["canceled", undefined],
    says: "\nafter\n",
  },
  {
    name: "forced-in-script",
    yaml: () => begun,
    words: "\nbegun\n",
    act: (id) => contained.gitlab.cancel(id, { force: true }),
    end: ["canceled", undefined],
  },
  {
    name: "late-in-pull",
    yaml: () => `image: "${mute.address}/a:1", timeout: 15 seconds, script: ["true"]`,
    words: "Pulling docker",
    end: ["failed", "job_execution_timeout"],
  },
  {
    name: "late-in-script",
    yaml: () => "image: busybox, timeout: 20 seconds, script: [sleep 1000]",
    words: "Running with",
    end: ["failed", "job_execution_timeout"],
  },
  {
    name: "agent-killed",
    yaml: () => begun,
    words: "\nbegun\n",
    act: (id) => killContainer(id, "agent"),
    end: ["failed", "runner_system_failure"],
    says: "the runner's agent ended early (exit code 137)",
  },
  {
    name: "container-killed",
    yaml: () => begun,
    words: "\nbegun\n",
    act: (id) => killContainer(id, "job"),
    end: ["failed", "runner_system_failure"],
    says: "the job's container ended in the middle of the job (exit code 137)",
  },
];

async function killContainer(jobId: number, which: string): Promise<void> {
  const containers = await contained.containers(jobId);
  await engine.client.getContainer(containers[which] ?? which).kill();
}

test(
  "jobs that are canceled, out of time or killed, in every phase",
  { timeout: 240_000 },
  async () => {
    const all = ways.map(async ({ name, yaml, words, act }) => {
      const id = await startJob(name, yaml(), words);
      await act?.(id);
      return [name, ...(await ended(name))];
    });
    expect(await Promise.all(all)).toEqual(ways.map(({ name, end }) => [name, ...end]));
    for (const { name, says } of ways) {
      if (says !== undefined) expect(contained.trace(name)).toContain(says);
    }
    expect(contained.trace("canceled-in-service-wait")).not.toContain("\nran\n");
  },
);

test("a runner that is told to stop twice", async () => {
  const runner = await startRunner({ executor: "docker", settings: { pull_policy: "never" } });
  try {
    await runner.gitlab.addFiles("p", {
      ".gitlab-ci.yml":
        "variables: {GIT_STRATEGY: none}\nj: {image: busybox, script: [echo begun, sleep 1000]}\n",
    });
    await runner.gitlab.createPipeline("root/p");
    const job = () => runner.gitlab.jobs()[0]!;
    await until("the script", () => job().trace().includes("begun\n"));
    runner.stop();
    runner.interrupt();
    await runner.ended;
    expect([job().status, job().failureReason]).toEqual(["failed", "runner_interrupted"]);
  } finally {
    await runner.close();
  }
});

test("a runner that is killed: its next start sweeps, and tells GitLab", async () => {
  const scene = await openScene();
  const options = {
    arguments: ["--executor", "docker", "--agent-image", agentImage, "--max-jobs", "1"],
    settings: { pull_policy: "never" },
    environment: { DOCKER_HOST: engine.host },
  };
  try {
    const job = { image: imageOf("busybox"), variables: { GIT_STRATEGY: "none" } };
    const lost = await scene.enqueue({ ...job, script: ["echo begun", "sleep 1000"] });
    const first = scene.burst(options);
    await scene.traceHas(lost, "begun\n");
    first.kill("SIGKILL");
    await first.ended;
    expect((await engine.holds()).containers).toHaveLength(2);
    const next = scene.burst(options);
    const other = await scene.enqueue({ ...job, script: ["echo here"] });
    expect((await scene.ended(other)).status).toBe("success");
    const { status, failureReason } = await scene.ended(lost);
    expect([status, failureReason]).toEqual(["failed", "runner_system_failure"]);
    expect(next.stderr()).toContain("removed 2 containers that an earlier run left behind");
    await next.ended;
  } finally {
    await scene.close();
  }
});

function imageOf(name: string) {
  return { name, entrypoint: null, ports: [] as const, executor_opts: {}, pull_policy: [] };
}

const kinds: readonly ((name: string) => string)[] = [
  (name) => `${name}: {image: busybox, script: [echo ${name}]}`,
  (name) => `${name}-red: {image: busybox, script: [exit 3]}`,
  (name) => `${name}-canceled: {image: busybox, script: [sleep 1000]}`,
  (name) => `${name}-late: {image: busybox, timeout: 12 seconds, script: [sleep 1000]}`,
  (name) =>
    `${name}: {image: busybox, services: ["redis:7"], script: [echo PING | nc -w 5 redis 6379]}`,
  (name) =>
    `${name}: {image: busybox, script: ["head -c 3000000 /dev/zero | tr '\\\\0' x | fold -w 99"]}`,
  (name) =>
    `${name}: {image: busybox, script: ["mkdir out; head -c 1000000 /dev/urandom > out/a"], artifacts: {paths: [out]}}`,
  (name) => `${name}: {image: busybox, script: ["dd if=/dev/zero of=/anonymous/a bs=1M count=5"]}`,
  (name) => `${name}-red: {image: "busybox:not-there", script: ["true"]}`,
  (name) =>
    `${name}: {image: busybox, script: ["(sleep 1000 &)", "touch /cache-me; mkdir -p deep/er"]}`,
];

test("100 mixed jobs, 8 at once", { timeout: 600_000 }, async () => {
  const jobs = Array.from({ length: 100 }, (_, n) => kinds[n % kinds.length]!(`j${n}`));
  const { gitlab } = contained;
  const pipeline = await contained.start(`${jobs.join("\n")}\n`);
  // Some at once, some when their script runs.
  const canceled = new Set<number>();
  const over = new AbortController();
  const canceling = (async () => {
    while (!over.signal.aborted) {
      for (const job of gitlab.pipeline(pipeline.id).jobs) {
        if (!job.name.endsWith("-canceled") || job.status !== "running") continue;
        const late = job.id % 3 === 0;
        if (canceled.has(job.id) || (late && !job.trace().includes("$ sleep"))) continue;
        canceled.add(job.id);
        gitlab.cancel(job.id);
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  })();
  const ended = await gitlab.waitForPipeline(pipeline.id, 590_000).finally(() => over.abort());
  await canceling;
  const wrong = ended.jobs.filter(({ name, status, failureReason }) => {
    if (name.endsWith("-canceled")) return status !== "canceled";
    if (name.endsWith("-late")) return failureReason !== "job_execution_timeout";
    return status !== (name.endsWith("-red") ? "failed" : "success");
  });
  expect(wrong.map(({ name, status, failureReason }) => ({ name, status, failureReason }))).toEqual(
    [],
  );
  expect(ended.jobs).toHaveLength(100);
  const artifacts = ended.jobs.flatMap((job) => job.artifacts);
  expect(artifacts).toHaveLength(10);
});

// The last one: there is no engine after it.
test("the engine itself is killed in mid-job: GitLab is told, and the runner lives", async () => {
  const id = await startJob(
    "orphan",
    "image: busybox, script: [echo begun, sleep 1000]",
    "\nbegun\n",
  );
  expect(Object.keys(await contained.containers(id)).toSorted()).toEqual(["agent", "job"]);
  await engine.kill();
  expect(await ended("orphan")).toEqual(["failed", "runner_system_failure"]);
  expect(contained.trace("orphan")).toContain("the container engine went away");
  await settled(contained.runner);
  await contained.start('next: {image: busybox, script: ["true"]}\n');
  expect(await ended("next")).toEqual(["failed", "runner_system_failure"]);
  expect(contained.trace("next")).toContain("the job could not be started");
});
