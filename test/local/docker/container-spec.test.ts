import { expect, test } from "vitest";
import { planTask } from "../../../src/core/plan.ts";
import type { ContainersPlan } from "../../../src/core/task-plan.ts";
import { agentSpec, jobSpec, serviceSpec } from "../../../src/local/docker/container-spec.ts";
import type { SpecContext } from "../../../src/local/docker/container-spec.ts";
import { jobOf, settingsOf, variablesOf } from "../../core/plan-case.ts";

const context: SpecContext = {
  prefix: "burst-42-abcd",
  labels: { "com.gitlab-burst.owner": "me" },
  volumes: { control: "c", builds: "b", cache: "k" },
  hostNames: ["host.docker.internal"],
};

function planOf(settings: object = {}, job: object = {}): ContainersPlan {
  const planned = planTask(
    jobOf({ image: { name: "busybox" }, ...job }),
    settingsOf({ memory: "1G", ...settings }),
    { executor: "docker", variables: variablesOf(), agentImage: "agent:1" },
  );
  if (planned.kind === "refusal") throw new Error(planned.message);
  if (planned.plan.executor === "process") throw new Error("not a plan for containers");
  return planned.plan;
}

function jobFor(settings: object = {}, job: object = {}) {
  return jobSpec(planOf(settings, job), context, "agent-id", "boot");
}

const redis = { services: [{ name: "redis:7", alias: "db" }] };

function serviceFor(settings: object = {}, job: object = redis) {
  const plan = planOf(settings, job);
  return serviceSpec(plan, plan.services[0]!, context, "agent-id");
}

const mebibyte = 1024 * 1024;

test("the agent holds the network, with the names of all services, this machine and the settings' hosts", () => {
  const spec = agentSpec(planOf({ extra_hosts: ["far.example.com:192.0.2.7"] }, redis), context);
  expect(spec.HostConfig).toMatchObject({
    NetworkMode: "bridge",
    ExtraHosts: [
      "host.docker.internal:host-gateway",
      "redis:127.0.0.1",
      "db:127.0.0.1",
      "far.example.com:192.0.2.7",
    ],
  });
});

test("the agent alone has the caches, and keeps no log in the engine", () => {
  const agent = agentSpec(planOf({}, redis), context);
  expect(agent.HostConfig?.Binds).toEqual(["c:/burst/control", "b:/builds", "k:/cache"]);
  expect(agent.HostConfig?.LogConfig).toEqual({ Type: "none", Config: {} });
  expect(jobFor().HostConfig?.Binds).toEqual(["c:/burst/control", "b:/builds"]);
  expect(serviceFor().HostConfig?.Binds).toEqual(["b:/builds"]);
});

test("all containers carry the labels, and names that begin alike", () => {
  for (const spec of [agentSpec(planOf(), context), jobFor(), serviceFor()]) {
    expect(spec.Labels).toEqual(context.labels);
    expect(spec.name).toMatch(/^burst-42-abcd-(?:agent|job|svc-0-redis)$/);
  }
});

test("the job and its services join the agent's network, and the job runs the boot script", () => {
  const job = jobFor();
  expect(job.Cmd).toEqual(["sh", "-c", "boot", "burst-boot"]);
  expect(job.Env).toEqual(["BURST_CONTROL=/burst/control"]);
  for (const spec of [job, serviceFor()]) {
    expect(spec.HostConfig?.NetworkMode).toBe("container:agent-id");
  }
});

test.each([
  ["the image's own where the job names none", {}, undefined],
  ["none, as the engine writes it, for an empty one", { entrypoint: [""] }, [""]],
  ["the job's words", { entrypoint: ["/bin/tini", "--"] }, ["/bin/tini", "--"]],
])("entrypoint: %s", (_, image, expected) => {
  expect(jobFor({}, { image: { name: "busybox", ...image } }).Entrypoint).toEqual(expected);
});

test("memory is a hard limit without swap, and the job's is what the agent leaves", () => {
  const size = planOf().job.memoryMiB * mebibyte;
  expect(jobFor().HostConfig).toMatchObject({ Memory: size, MemorySwap: size });
  expect(jobFor({ memory_swap: "4G" }).HostConfig?.MemorySwap).toBe(4096 * mebibyte);
  expect(agentSpec(planOf(), context).HostConfig?.Memory).toBe(256 * mebibyte);
});

test("what is not set is not sent: an engine takes an empty value for a wish", () => {
  const config = jobFor().HostConfig ?? {};
  for (const key of ["ShmSize", "Tmpfs", "Devices", "GroupAdd", "Runtime", "CpusetCpus"]) {
    expect(config).not.toHaveProperty(key);
  }
  expect(jobFor()).not.toHaveProperty("User");
  expect(jobFor()).not.toHaveProperty("Volumes");
});

test.each([
  [{ shm_size: "64m" }, { ShmSize: 64 * mebibyte }],
  [{ tmpfs: { "/fast": "size=1m" } }, { Tmpfs: { "/fast": "size=1m" } }],
  [{ cpu_shares: 512 }, { CpuShares: 512 }],
  [{ cpus: "0.5" }, { NanoCpus: 500_000_000 }],
  [{ cpuset_cpus: "0,1" }, { CpusetCpus: "0,1" }],
  [{ cpuset_mems: "0" }, { CpusetMems: "0" }],
  [{ group_add: ["docker"] }, { GroupAdd: ["docker"] }],
  [{ runtime: "runsc" }, { Runtime: "runsc" }],
  [{ security_opt: ["no-new-privileges"] }, { SecurityOpt: ["no-new-privileges"] }],
  [
    { cap_add: ["SYS_PTRACE"], cap_drop: ["ALL"] },
    { CapAdd: ["SYS_PTRACE"], CapDrop: ["ALL"] },
  ],
  [{ ulimit: { nofile: "10:20" } }, { Ulimits: [{ Name: "nofile", Soft: 10, Hard: 20 }] }],
  [{ memory_reservation: "128m" }, { MemoryReservation: 128 * mebibyte }],
  [
    { devices: ["/dev/fuse", "/dev/a:/dev/b:r"] },
    {
      Devices: [
        { PathOnHost: "/dev/fuse", PathInContainer: "/dev/fuse", CgroupPermissions: "rwm" },
        { PathOnHost: "/dev/a", PathInContainer: "/dev/b", CgroupPermissions: "r" },
      ],
    },
  ],
  [{ device_cgroup_rules: ["c 1:3 mr"] }, { DeviceCgroupRules: ["c 1:3 mr"] }],
  [{ gpus: "all" }, { DeviceRequests: [{ Capabilities: [["gpu"]], Count: -1 }] }],
  [{ gpus: "2" }, { DeviceRequests: [{ Capabilities: [["gpu"]], Count: 2 }] }],
  [
    { gpus: "device=a,b" },
    { DeviceRequests: [{ Capabilities: [["gpu"]], DeviceIDs: ["a", "b"] }] },
  ],
])("%j reaches the job's container", (settings, expected) => {
  expect(jobFor(settings).HostConfig).toMatchObject(expected);
});

test.each([
  [{ service_cpus: "0.25" }, { NanoCpus: 250_000_000 }],
  [{ service_memory: "128m" }, { Memory: 128 * mebibyte, MemorySwap: 128 * mebibyte }],
  [{ service_memory_reservation: "64m" }, { MemoryReservation: 64 * mebibyte }],
  [{ service_memory: "128m", service_memory_swap: "256m" }, { MemorySwap: 256 * mebibyte }],
  [{ services_tmpfs: { "/data": "" } }, { Tmpfs: { "/data": "" } }],
  [{ service_cpu_shares: 2 }, { CpuShares: 2 }],
  [{ service_cpuset_cpus: "1" }, { CpusetCpus: "1" }],
  [{ services_security_opt: ["label=disable"] }, { SecurityOpt: ["label=disable"] }],
  [{ service_gpus: "1" }, { DeviceRequests: [{ Capabilities: [["gpu"]], Count: 1 }] }],
  [{ shm_size: "64m" }, { ShmSize: 64 * mebibyte }],
])("%j reaches a service's container", (settings, expected) => {
  expect(serviceFor(settings).HostConfig).toMatchObject(expected);
});

test.each([
  [{ dns: ["192.0.2.1"] }, { Dns: ["192.0.2.1"] }],
  [{ dns_search: ["corp"] }, { DnsSearch: ["corp"] }],
  [{ network_mode: "own" }, { NetworkMode: "own" }],
  [{ sysctls: { "net.core.somaxconn": "9" } }, { Sysctls: { "net.core.somaxconn": "9" } }],
])("%j is the network's, so the agent's container has it", (settings, expected) => {
  expect(agentSpec(planOf(settings), context).HostConfig).toMatchObject(expected);
  expect(jobFor(settings).HostConfig).not.toMatchObject(expected);
});

test("volumes: a path alone is one without a name, the rest is bound, and services get them as well", () => {
  const settings = { volumes: ["/cache-of-old", "/data:/data:ro", "named:/named"] };
  for (const spec of [jobFor(settings), serviceFor(settings)]) {
    expect(spec.Volumes).toEqual({ "/cache-of-old": {} });
    expect(spec.HostConfig?.Binds?.slice(-2)).toEqual(["/data:/data:ro", "named:/named"]);
  }
});

test("user and platform are the job's, where it names them", () => {
  const image = {
    name: "busybox",
    executor_opts: { docker: { user: "7", platform: "linux/arm64" } },
  };
  expect(jobFor({}, { image })).toMatchObject({ User: "7", platform: "linux/arm64" });
});

test("a service runs its own command, and the image's where it has none", () => {
  const own = serviceFor(
    {},
    { services: [{ name: "redis:7", command: ["redis-server", "--port", "1"] }] },
  );
  expect(own.Cmd).toEqual(["redis-server", "--port", "1"]);
  expect(serviceFor()).not.toHaveProperty("Cmd");
});
