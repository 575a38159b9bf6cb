import { expect, test } from "vitest";
import { ignoredNotice, planTask } from "../../src/core/plan.ts";
import type { ContainersPlan } from "../../src/core/task-plan.ts";
import { jobOf, settingsOf, variablesOf } from "./plan-case.ts";

interface Case {
  readonly job?: object;
  readonly settings?: object;
  readonly variables?: Record<string, string>;
  readonly executor?: "process" | "docker" | "fargate";
}

function plan({ job = {}, settings = {}, variables = {}, executor = "fargate" }: Case) {
  return planTask(jobOf(job), settingsOf(settings), {
    executor,
    agentImage: "agent:1",
    variables: variablesOf(variables),
  });
}

function containers(given: Case): ContainersPlan {
  const planned = plan(given);
  if (planned.kind === "refusal") throw new Error(planned.message);
  if (planned.plan.executor === "process") throw new Error("a process has no containers");
  return planned.plan;
}

const ruby = { image: { name: "a.io/ruby:3" } };

test("a plain job on Fargate gets the whole plan", () => {
  const planned = plan({
    job: ruby,
    settings: { cap_drop: ["NET_RAW"], extra_hosts: ["sonar:10.0.0.7"] },
  });
  expect(planned).toEqual({
    kind: "task",
    warnings: [],
    plan: {
      executor: "fargate",
      jobId: 42,
      timeoutSeconds: 7200,
      prepareTimeoutSeconds: 7200,
      getSourcesTimeoutSeconds: 7200,
      caches: [],
      labels: { job: "42" },
      agent: { name: "agent", image: "agent:1", memoryMiB: 256 },
      job: {
        name: "job",
        image: "a.io/ruby:3",
        requestedImage: "a.io/ruby:3",
        entrypoint: undefined,
        command: undefined,
        user: "",
        platform: "",
        pullPolicies: ["always"],
        login: undefined,
        environment: [],
        cpuUnits: 0,
        memoryMiB: 1792,
        memoryReservationMiB: 0,
      },
      services: [],
      waitForServicesSeconds: 30,
      debugServices: false,
      size: { cpuUnits: 1024, memoryMiB: 2048 },
      diskGiB: 20,
      architecture: "x86_64",
      capacity: "on-demand",
      rerunOnLoss: false,
      roleArn: undefined,
      options: {
        capAdd: [],
        capDrop: ["NET_RAW"],
        sysctls: {},
        ulimits: [],
        hosts: [{ name: "sonar", address: "10.0.0.7" }],
      },
      docker: undefined,
    },
  });
});

test("docker gets the same containers, with its sizes as limits and its options", () => {
  const settings = { shm_size: "64m", memory: "300m" };
  const docker = containers({ job: ruby, settings, executor: "docker" });
  expect(docker.job).toMatchObject({ image: "a.io/ruby:3", cpuUnits: 1024, memoryMiB: 300 });
  expect(docker.docker?.shm_size).toBe(64);
  expect(docker.architecture).toBeUndefined();
});

test("services are containers with names that ECS takes, their own limits and their logins", () => {
  const job = {
    ...ruby,
    services: [{ name: "a.io/db/pg:16", alias: "db" }, { name: "redis" }],
    credentials: [{ type: "registry", url: "a.io", username: "gitlab-ci-token", password: "t" }],
  };
  const settings = {
    service_memory: "512m",
    service_memory_reservation: "128m",
    service_cpus: "0.5",
  };
  const { services, job: own } = containers({ job, settings });
  expect(
    services.map(({ name, image, hostnames, login }) => [name, image, hostnames, login?.kind]),
  ).toEqual([
    ["svc-0-a-io__db__pg", "a.io/db/pg:16", ["a.io__db__pg", "a.io-db-pg", "db"], "login"],
    ["svc-1-redis", "public.ecr.aws/docker/library/redis", ["redis"], undefined],
  ]);
  expect(services[0]).toMatchObject({ cpuUnits: 512, memoryMiB: 512, memoryReservationMiB: 128 });
  expect(own.login).toMatchObject({ kind: "login", source: "job", username: "gitlab-ci-token" });
});

test.each<[string, Case, Partial<ContainersPlan>]>([
  [
    "the job's time limit",
    { job: { ...ruby, runner_info: { timeout: 600 } } },
    { timeoutSeconds: 600 },
  ],
  [
    "time limits of stages, within the job's",
    {
      job: { ...ruby, runner_info: { timeout: 600 } },
      settings: { prepare_timeout: "5m", get_sources_timeout: "1h" },
    },
    { prepareTimeoutSeconds: 300, getSourcesTimeoutSeconds: 600 },
  ],
  [
    "no waiting for services",
    { job: ruby, settings: { wait_for_services_timeout: -1 } },
    { waitForServicesSeconds: undefined },
  ],
  [
    "the usual waiting for 0, as in config.toml",
    { job: ruby, settings: { wait_for_services_timeout: 0 } },
    { waitForServicesSeconds: 30 },
  ],
  [
    "services' output",
    { job: ruby, variables: { CI_DEBUG_SERVICES: "true" } },
    { debugServices: true },
  ],
  [
    "what the job asks for by variables",
    {
      job: ruby,
      variables: {
        BURST_CPU: "2",
        BURST_CAPACITY: "spot",
        BURST_DISK: "40",
        BURST_RERUN_ON_LOSS: "1",
      },
    },
    { size: { cpuUnits: 2048, memoryMiB: 4096 }, capacity: "spot", diskGiB: 40, rerunOnLoss: true },
  ],
  [
    "the settings' processors",
    { job: ruby, settings: { architecture: "arm64" } },
    { architecture: "arm64" },
  ],
  [
    "the job's processors",
    { job: ruby, variables: { BURST_ARCH: "arm64" } },
    { architecture: "arm64" },
  ],
])("a plan has %s", (_, given, expected) => {
  expect(containers(given)).toMatchObject(expected);
});

function manyServices(count: number) {
  return Array.from({ length: count }, (_, index) => ({ name: `s${index}` }));
}

const onPlatform = (platform: string) => ({ executor_opts: { docker: { platform } } });

test.each<[string, object, Record<string, string>, string]>([
  ["the image's platform", { image: { name: "r", ...onPlatform("linux/arm64/v8") } }, {}, "arm64"],
  ["a platform without its system", { image: { name: "r", ...onPlatform("arm64") } }, {}, "arm64"],
  [
    "any processor for a platform that names none",
    { image: { name: "r", ...onPlatform("linux") } },
    {},
    "x86_64",
  ],
  [
    "a service's platform",
    { image: { name: "r" }, services: [{ name: "s", ...onPlatform("linux/arm64") }] },
    {},
    "arm64",
  ],
  [
    "what job and image agree on",
    { image: { name: "r", ...onPlatform("linux/arm64") } },
    { BURST_ARCH: "arm64" },
    "arm64",
  ],
])("a task on Fargate has processors for %s", (_, job, variables, architecture) => {
  expect(containers({ job, variables }).architecture).toBe(architecture);
});

test("on docker BURST_ARCH is the platform of containers that name none", () => {
  const job = { image: { name: "r" }, services: [{ name: "s", ...onPlatform("linux/386") }] };
  const plan = containers({ job, variables: { BURST_ARCH: "arm64" }, executor: "docker" });
  expect([plan.job.platform, plan.services[0]?.platform]).toEqual(["linux/arm64", "linux/386"]);
});

test("labels say whose job it is, and the settings add theirs with variables put in", () => {
  const job = {
    ...ruby,
    job_info: { name: "test", project_full_path: "group/p", pipeline_id: 7 },
    git_info: { ref: "main" },
  };
  const settings = { name: "burst", container_labels: { team: "$TEAM", empty: "$NOPE" } };
  const variables = { GITLAB_USER_LOGIN: "ann", CI_ENVIRONMENT_NAME: "prod", TEAM: "a" };
  expect(containers({ job, settings, variables }).labels).toEqual({
    project: "group/p",
    pipeline: "7",
    job: "42",
    job_name: "test",
    ref: "main",
    user: "ann",
    runner: "burst",
    environment: "prod",
    team: "a",
  });
});

const deploy = "arn:aws:iam::123456789012:role/deploy";
const read = "arn:aws:iam::123456789012:role/read";
const job_roles = [
  { project: "ops/**", role_arn: deploy },
  { project: "**", role_arn: read, protected_refs_only: false },
];

test.each<[string, string, boolean, object[], string | undefined]>([
  ["the first whose project fits", "ops/app", true, job_roles, deploy],
  ["the next, where that one is for protected refs only", "ops/app", false, job_roles, read],
  ["none, where no project fits", "dev/app", true, job_roles.slice(0, 1), undefined],
  ["none, where nothing is set", "ops/app", true, [], undefined],
])("a job's role on AWS is %s", (_, project_full_path, isProtected, roles, expected) => {
  const job = { ...ruby, job_info: { project_full_path }, git_info: { protected: isProtected } };
  const settings = { job_roles: roles };
  expect(containers({ job, settings }).roleArn).toBe(expected);
  expect(containers({ job, settings, executor: "docker" }).roleArn).toBeUndefined();
});

test.each<[string, Case, string]>([
  ["no image", {}, "The job names no image"],
  [
    "Docker in Docker on Fargate: what, why, what instead",
    { job: { ...ruby, services: [{ name: "docker:dind" }] } },
    "The service docker:dind needs privileged mode, which Fargate does not have. Instead build images with a builder that needs neither a daemon nor privileges, such as kaniko",
  ],
  [
    "Docker in Docker on docker",
    { job: { ...ruby, services: [{ name: "proxy.io/docker:27-dind" }] }, executor: "docker" },
    "needs privileged mode, which jobs are not given",
  ],
  [
    "more containers than a task has",
    { job: { ...ruby, services: manyServices(9) } },
    "The job needs 11 containers (its own, its agent's and 9 services'), and a task on Fargate has 10 at most. Use 8 services or fewer",
  ],
  [
    "a size that the runner does not allow",
    { job: ruby, variables: { BURST_CPU: "16" } },
    "and this runner allows 4 vCPU and 30 GB",
  ],
  [
    "a platform that Fargate does not have",
    { job: { image: { name: "r", ...onPlatform("linux/s390x") } } },
    "The image r asks for the platform linux/s390x, which Fargate does not have for jobs",
  ],
  [
    "a platform of Windows",
    { job: { image: { name: "r", ...onPlatform("windows/amd64") } } },
    "it has linux/amd64 and linux/arm64",
  ],
  [
    "two kinds of processors in one task",
    {
      job: {
        image: { name: "r", ...onPlatform("linux/arm64") },
        services: [{ name: "s", ...onPlatform("linux/amd64") }],
      },
    },
    "The image s asks for the platform linux/amd64, and the image r for arm64: all containers of a task on Fargate share their processors",
  ],
  [
    "other processors than BURST_ARCH names",
    {
      job: { image: { name: "r", ...onPlatform("linux/amd64") } },
      variables: { BURST_ARCH: "arm64" },
    },
    "asks for the platform linux/amd64, and BURST_ARCH for arm64",
  ],
  [
    "other processors by the image's platform, where jobs may not choose",
    {
      job: { image: { name: "r", ...onPlatform("linux/arm64") } },
      settings: { allowed_burst_variables: [] },
    },
    "This runner runs jobs on x86_64 only, and the image r asks for arm64",
  ],
  [
    "a runner set up for what Fargate lacks",
    { job: ruby, settings: { gpus: "all" } },
    "Fargate has no GPUs",
  ],
  [
    "more memory promised than the task has",
    {
      job: { ...ruby, services: [{ name: "s" }] },
      settings: { memory_reservation: "1g", service_memory_reservation: "1g" },
    },
    "keep 2.25 GB free for the job's containers (memory_reservation, service_memory_reservation and the agent's), and its task has 2 GB",
  ],
  [
    "a service larger than the task",
    { job: { ...ruby, services: [{ name: "s" }] }, settings: { service_memory: "4g" } },
    "give each service 4 GB (service_memory), and the job's task has 2 GB. Ask for more by BURST_MEMORY",
  ],
])("refused, as trying again changes nothing: %s", (_, given, message) => {
  const planned = plan(given);
  expect(planned).toMatchObject({ kind: "refusal", reason: "runner_configuration_error" });
  expect(planned.kind === "refusal" && planned.message).toContain(message);
});

test("eight services fit into a task on Fargate, and more on docker", () => {
  expect(containers({ job: { ...ruby, services: manyServices(8) } }).services).toHaveLength(8);
  const many = { job: { ...ruby, services: manyServices(12) }, executor: "docker" } as const;
  expect(containers(many).services).toHaveLength(12);
});

test("warnings of settings, image, services and logins are all told", () => {
  const planned = plan({
    job: { image: { name: "r", entrypoint: ["/e"] }, services: [{ name: "s" }, { name: "s" }] },
    settings: { disable_entrypoint_overwrite: true, dns: ["1.1.1.1"] },
    variables: { DOCKER_AUTH_CONFIG: "nonsense" },
  });
  expect(planned.kind === "task" && planned.warnings.map((line) => line.slice(0, 30))).toEqual([
    "The runner's setting dns has n",
    "The entrypoint is not replaced",
    "Service s: the name s belongs ",
    "Service s is not started: no n",
    "DOCKER_AUTH_CONFIG is left out",
  ]);
});

const asProcess = (given: Case) => plan({ ...given, executor: "process" });

test("a process uses neither image nor services, and says so in one line with advice", () => {
  const planned = asProcess({
    job: {
      image: { name: "ruby:$V" },
      services: [{ name: "postgres:16" }, { name: "docker:dind" }],
    },
    variables: { V: "3", BURST_CPU: "4" },
  });
  expect(planned).toMatchObject({
    kind: "task",
    warnings: [],
    plan: {
      executor: "process",
      jobId: 42,
      timeoutSeconds: 7200,
      ignored: [
        { kind: "image", name: "ruby:3" },
        { kind: "service", name: "postgres:16" },
        { kind: "service", name: "docker:dind" },
        { kind: "variable", name: "BURST_CPU" },
      ],
    },
  });
  if (planned.kind === "refusal" || planned.plan.executor !== "process") return;
  expect(ignoredNotice(planned.plan.ignored)).toBe(
    "Not used by the process executor: image ruby:3, service postgres:16, service docker:dind, BURST_CPU. " +
      "The script runs in this machine's own shell; for containers run `burst run --executor docker`, or the runner on AWS",
  );
});

test("a job that asks for nothing is a process without a word", () => {
  const planned = asProcess({
    settings: { image: "alpine", services: [{ name: "redis" }], gpus: "all" },
  });
  expect(planned).toMatchObject({ kind: "task", plan: { ignored: [] } });
  expect(ignoredNotice([])).toBeUndefined();
});

test("an unknown executor option fails a job on every executor", () => {
  const job = {
    image: { name: "r" },
    services: [{ name: "s", executor_opts: { docker: { usr: "1" } } }],
  };
  for (const executor of ["process", "docker", "fargate"] as const) {
    expect(plan({ job, executor })).toMatchObject({
      kind: "refusal",
      reason: "runner_system_failure",
      exitCode: 3,
    });
  }
});

test("no plan shows a secret when it is printed", () => {
  const job = {
    ...ruby,
    services: [{ name: "s", variables: [{ key: "P", value: "hunter2" }] }],
    credentials: [{ type: "registry", url: "a.io", username: "u", password: "hunter2" }],
  };
  const settings = { registry_auth: { auths: { "b.io": { auth: "aHVudGVyMg==" } } } };
  for (const executor of ["docker", "fargate"] as const) {
    const text = JSON.stringify(plan({ job, settings, executor }));
    expect(text).not.toContain("hunter2");
    expect(text).not.toContain("aHVudGVyMg");
  }
});
