import { expect, test } from "vitest";
import { fargateDefinition } from "../../src/core/fargate-definition.ts";
import type { TaskDefinition } from "../../src/core/fargate-task.ts";
import { define, fargatePlan, parts, place } from "./fargate-case.ts";
import type { FargateCase } from "./fargate-case.ts";

function container(definition: TaskDefinition, name: string | RegExp) {
  const found = definition.containerDefinitions.find((one) =>
    typeof name === "string" ? one.name === name : name.test(one.name),
  );
  if (found === undefined) throw new Error(`no container ${name}`);
  return found;
}

const postgres = { name: "postgres:17", alias: "db" };

test("a job without services is two containers that share two volumes", () => {
  const definition = define();
  expect(definition).toMatchObject({
    networkMode: "awsvpc",
    requiresCompatibilities: ["FARGATE"],
    cpu: "256",
    memory: "512",
    executionRoleArn: place.executionRole,
    runtimePlatform: { cpuArchitecture: "X86_64", operatingSystemFamily: "LINUX" },
    volumes: [{ name: "control" }, { name: "builds" }],
  });
  expect(definition.containerDefinitions.map(({ name }) => name)).toEqual(["agent", "job"]);
  const mounts = [
    { sourceVolume: "control", containerPath: "/burst/control", readOnly: false },
    { sourceVolume: "builds", containerPath: "/builds", readOnly: false },
  ];
  for (const { mountPoints } of definition.containerDefinitions)
    expect(mountPoints).toEqual(mounts);
});

test("services see the project and not the agent's channel to the job", () => {
  const service = container(define({ job: { services: [postgres] } }), /^svc-0/);
  expect(service.mountPoints.map(({ sourceVolume }) => sourceVolume)).toEqual(["builds"]);
});

test("only the agent is essential, and only it has time to end its work", () => {
  const { containerDefinitions } = define({ job: { services: [postgres] } });
  const facts = containerDefinitions.map(({ essential, stopTimeout }) => [essential, stopTimeout]);
  expect(facts).toEqual([
    [true, 120],
    [false, 2],
    [false, 2],
  ]);
});

test("the boot script is the job's command, in the definition and not in an override", () => {
  const job = container(define(), "job");
  expect(job.entryPoint).toBeUndefined();
  expect(job.command).toEqual(["sh", "-c", "# boot\n", "burst-boot"]);
  expect(job.environment).toEqual([{ name: "BURST_CONTROL", value: "/burst/control" }]);
});

test.each<[rule: string, job: object, entryPoint: unknown, command: unknown]>([
  [
    "an entrypoint of the job's stays before the boot script",
    { image: { name: "alpine", entrypoint: ["/init", "--"] } },
    ["/init", "--"],
    ["sh", "-c", "# boot\n", "burst-boot"],
  ],
  [
    "an empty entrypoint runs the boot script and nothing else",
    { image: { name: "alpine", entrypoint: [""] } },
    ["sh", "-c"],
    ["# boot\n", "burst-boot"],
  ],
])("%s", (_, job, entryPoint, command) => {
  const found = container(define({ job }), "job");
  expect(found.entryPoint).toEqual(entryPoint);
  expect(found.command).toEqual(command);
});

test.each<[rule: string, service: object, entryPoint: unknown, command: unknown]>([
  ["nothing said, nothing replaced", {}, undefined, undefined],
  ["a command goes to the image's entrypoint", { command: ["a", "b"] }, undefined, ["a", "b"]],
  ["an entrypoint alone", { entrypoint: ["/x", "y"] }, ["/x", "y"], undefined],
  ["both", { entrypoint: ["/x"], command: ["y"] }, ["/x"], ["y"]],
  [
    "an empty entrypoint runs the command itself",
    { entrypoint: [""], command: ["a", "b", "c"] },
    ["a"],
    ["b", "c"],
  ],
  [
    "an empty entrypoint with a command of one word",
    { entrypoint: [""], command: ["a"] },
    ["a"],
    undefined,
  ],
])("a service's words: %s", (_, service, entryPoint, command) => {
  const found = container(define({ job: { services: [{ ...postgres, ...service }] } }), /^svc-0/);
  expect(found.entryPoint).toEqual(entryPoint);
  expect(found.command).toEqual(command);
});

test("a service in which nothing would run is refused in a sentence", () => {
  const plan = fargatePlan({ job: { services: [{ ...postgres, entrypoint: [""] }] } });
  expect(fargateDefinition(plan, place, parts)).toMatchObject({
    kind: "refusal",
    message:
      "The service postgres:17 has an empty entrypoint and no command, so nothing would run in it: " +
      "give it a command, or leave the entrypoint out",
  });
});

test("the agent's output goes to the jobs' log group, below the runner's name, and never holds it up", () => {
  const definition = define({ job: { services: [postgres] } });
  expect(container(definition, "agent").logConfiguration).toEqual({
    logDriver: "awslogs",
    options: {
      "awslogs-group": "/gitlab-burst/default/jobs",
      "awslogs-region": "eu-central-1",
      "awslogs-stream-prefix": "team",
      mode: "non-blocking",
      "max-buffer-size": "25m",
    },
  });
  expect(container(definition, "job").logConfiguration).toBeUndefined();
  expect(container(definition, /^svc-0/).logConfiguration).toBeUndefined();
});

test("services' output is kept only where the job asks for it", () => {
  const definition = define({
    job: { services: [postgres] },
    variables: { CI_DEBUG_SERVICES: "true" },
  });
  expect(container(definition, /^svc-0/).logConfiguration).toBeDefined();
  expect(container(definition, "job").logConfiguration).toBeUndefined();
});

test("a login is that of one container", () => {
  const definition = define(
    { job: { services: [postgres] } },
    {
      parts: { loginSecrets: { job: "arn:secret" } },
    },
  );
  expect(container(definition, "job").repositoryCredentials).toEqual({
    credentialsParameter: "arn:secret",
  });
  expect(container(definition, /^svc-0/).repositoryCredentials).toBeUndefined();
  expect(container(definition, "agent").repositoryCredentials).toBeUndefined();
});

test("keys of the network are set once, for all; those of IPC where they count", () => {
  const definition = define({
    job: { services: [postgres] },
    settings: { sysctls: { "net.core.somaxconn": "1024", "kernel.shmmax": "1" } },
  });
  const net = [{ namespace: "net.core.somaxconn", value: "1024" }];
  const ipc = [{ namespace: "kernel.shmmax", value: "1" }];
  expect(container(definition, "agent").systemControls).toEqual(net);
  expect(container(definition, "job").systemControls).toEqual(ipc);
  expect(container(definition, /^svc-0/).systemControls).toEqual(ipc);
});

test("users, limits and capabilities are as ECS writes them", () => {
  const definition = define({
    settings: {
      user: "1000:1000",
      ulimit: { nofile: "1024:4096" },
      cap_add: ["cap_sys_ptrace"],
      cap_drop: ["NET_RAW", "CAP_CHOWN"],
    },
  });
  expect(container(definition, "job")).toMatchObject({
    user: "1000:1000",
    ulimits: [{ name: "nofile", softLimit: 1024, hardLimit: 4096 }],
    linuxParameters: { capabilities: { add: ["SYS_PTRACE"], drop: ["NET_RAW", "CHOWN"] } },
  });
  const agent = container(definition, "agent");
  expect([agent.user, agent.ulimits, agent.linuxParameters]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test("the agent's image is that of the job's architecture", () => {
  const arm = define({ variables: { BURST_ARCH: "arm64" } });
  expect(arm.runtimePlatform.cpuArchitecture).toBe("ARM64");
  expect(container(arm, "agent").image).toBe("registry.example.com/agent:arm");
  const plan = fargatePlan({ variables: { BURST_ARCH: "arm64" } });
  const without = { ...place, agentImages: { x86_64: "registry.example.com/agent" } };
  expect(fargateDefinition(plan, without, parts)).toMatchObject({
    kind: "refusal",
    message: expect.stringContaining("no image of the agent for arm64"),
  });
});

test("a family is the prefix and a hash, in ECS's letters", () => {
  expect(define().family).toMatch(/^gitlab-burst-default-[0-9a-f]{32}$/);
  expect(define({}, { place: { namePrefix: "a.b c" } }).family).toMatch(/^a-b-c-[0-9a-f]{32}$/);
});

test.each<[rule: string, wanted: FargateCase]>([
  ["size", { variables: { BURST_CPU: "4", BURST_MEMORY: "16g" } }],
  ["disk", { variables: { BURST_DISK: "100" } }],
  ["capacity", { variables: { BURST_CAPACITY: "spot" } }],
  ["job", { job: { id: 43, token: "other", job_info: { name: "other" } } }],
  [
    "job role",
    { settings: { job_roles: [{ project: "**", role_arn: "arn:aws:iam::123456789012:role/x" }] } },
  ],
  ["time limit", { job: { runner_info: { timeout: 60 } } }],
  ["variables", { variables: { SECRET: "value" } }],
])("another %s is the same definition", (_, wanted) => {
  expect(define(wanted)).toEqual(define());
});

test.each<[rule: string, wanted: FargateCase, changed?: Parameters<typeof define>[1]]>([
  ["image", { job: { image: { name: "alpine:4" } } }],
  ["entrypoint", { job: { image: { name: "alpine:3", entrypoint: ["/x"] } } }],
  ["user", { settings: { user: "nobody" } }],
  ["service", { job: { services: [postgres] } }],
  ["architecture", { variables: { BURST_ARCH: "arm64" } }],
  ["capability", { settings: { cap_drop: ["CHOWN"] } }],
  ["limit", { settings: { ulimit: { nofile: "10" } } }],
  ["kernel's key", { settings: { sysctls: { "net.core.somaxconn": "1" } } }],
  ["runner, by its logs", {}, { place: { runner: "other" } }],
  ["log group", {}, { place: { logGroup: "/other" } }],
  ["execution role", {}, { place: { executionRole: "arn:aws:iam::1:role/other" } }],
  ["agent's image", {}, { place: { agentImages: { x86_64: "agent:2" } } }],
  ["boot script", {}, { parts: { bootScript: "# other" } }],
  ["login", {}, { parts: { loginSecrets: { job: "arn" } } }],
])("another %s is another definition", (_, wanted, changed) => {
  expect(define(wanted, changed).family).not.toBe(define().family);
});

test("the order of a map in the settings makes no other definition", () => {
  const sysctls = { "net.core.somaxconn": "1", "net.ipv4.tcp_syncookies": "1" };
  const turned = Object.fromEntries(Object.entries(sysctls).toReversed());
  expect(define({ settings: { sysctls } })).toEqual(define({ settings: { sysctls: turned } }));
});

test("more than ECS takes as one definition is refused in a sentence", () => {
  const command = ["x".repeat(33_000)];
  const plan = fargatePlan({
    job: {
      services: [
        { ...postgres, command },
        { name: "redis:8", alias: "cache", command },
      ],
    },
  });
  expect(fargateDefinition(plan, place, parts)).toMatchObject({
    kind: "refusal",
    reason: "runner_configuration_error",
    message: expect.stringMatching(/take 6\d{4} bytes to describe .* and ECS takes 65536/),
  });
});

test("the boot script as it is leaves room for nine services", () => {
  const services = Array.from({ length: 8 }, (_, index) => ({ ...postgres, alias: `db${index}` }));
  const definition = define({ job: { services } }, { parts: { bootScript: "x".repeat(8192) } });
  expect(definition.containerDefinitions).toHaveLength(10);
});
