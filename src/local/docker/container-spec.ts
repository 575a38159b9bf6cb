// From a plan to what the engine is asked for: pure. The agent's container holds the network that all share,
// and the names; the job and its services join it, as in a task on Fargate.

import type { ContainerCreateOptions, HostConfig } from "dockerode";
import type { ContainerPlan, ContainersPlan, ServicePlan } from "../../core/task-plan.ts";

export const folders = {
  control: "/burst/control",
  builds: "/builds",
  cache: "/cache",
  scratch: "/burst/agent",
} as const;

export interface SpecContext {
  /** Begins every name. */
  readonly prefix: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly volumes: { readonly control: string; readonly builds: string; readonly cache: string };
  /** Names for the machine itself, so that a GitLab on it is reached. */
  readonly hostNames: readonly string[];
}

/** Enough for any build, and too few for a fork bomb to take the machine with it. */
const usualPidsLimit = 4096;
const mebibyte = 1024 * 1024;

export function agentSpec(plan: ContainersPlan, context: SpecContext): ContainerCreateOptions {
  const { docker, options } = plan;
  const names = plan.services.flatMap((service) =>
    service.hostnames.map((name) => `${name}:127.0.0.1`),
  );
  const hosts = options.hosts.map(({ name, address }) => `${name}:${address}`);
  return {
    name: `${context.prefix}-agent`,
    Image: plan.agent.image,
    Labels: { ...context.labels },
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    ...(docker?.hostname ? { Hostname: docker.hostname } : {}),
    HostConfig: {
      Binds: [
        `${context.volumes.control}:${folders.control}`,
        `${context.volumes.builds}:${folders.builds}`,
        `${context.volumes.cache}:${folders.cache}`,
      ],
      ExtraHosts: [...context.hostNames.map((name) => `${name}:host-gateway`), ...names, ...hosts],
      Memory: plan.agent.memoryMiB * mebibyte,
      MemorySwap: plan.agent.memoryMiB * mebibyte,
      NetworkMode: docker?.network_mode || "bridge",
      // What is said here goes to GitLab; a copy in the engine's own logs would only fill the disk.
      LogConfig: { Type: "none", Config: {} },
      Sysctls: { ...options.sysctls },
      ...(docker === undefined ? {} : { Dns: [...docker.dns], DnsSearch: [...docker.dns_search] }),
    },
  };
}

export function jobSpec(
  plan: ContainersPlan,
  context: SpecContext,
  agentId: string,
  bootScript: string,
): ContainerCreateOptions {
  const { docker } = plan;
  const spec = joinedSpec(plan, plan.job, context, agentId);
  return {
    ...spec,
    Cmd: ["sh", "-c", bootScript, "burst-boot"],
    Env: [...(spec.Env ?? []), `BURST_CONTROL=${folders.control}`],
    ...anonymousVolumes(plan),
    HostConfig: {
      ...spec.HostConfig,
      LogConfig: { Type: "json-file", Config: { "max-size": "1m", "max-file": "1" } },
      Binds: [
        `${context.volumes.control}:${folders.control}`,
        `${context.volumes.builds}:${folders.builds}`,
        ...binds(plan),
      ],
      ...(docker === undefined
        ? {}
        : dropEmpty({
            ShmSize: bytes(docker.shm_size),
            Tmpfs: { ...docker.tmpfs },
            CpuShares: docker.cpu_shares,
            CpusetCpus: docker.cpuset_cpus,
            CpusetMems: docker.cpuset_mems,
            Devices: docker.devices.map(device),
            DeviceCgroupRules: [...docker.device_cgroup_rules],
            DeviceRequests: gpuRequests(docker.gpus),
            GroupAdd: [...docker.group_add],
            Runtime: docker.runtime,
            SecurityOpt: [...docker.security_opt],
            ...(docker.memory_swap > 0 ? { MemorySwap: bytes(docker.memory_swap) } : {}),
          })),
    },
  };
}

export function serviceSpec(
  plan: ContainersPlan,
  service: ServicePlan,
  context: SpecContext,
  agentId: string,
): ContainerCreateOptions {
  const { docker } = plan;
  const spec = joinedSpec(plan, service, context, agentId);
  return {
    ...spec,
    ...(service.command === undefined ? {} : { Cmd: [...service.command] }),
    ...anonymousVolumes(plan),
    HostConfig: {
      ...spec.HostConfig,
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "1" } },
      Binds: [`${context.volumes.builds}:${folders.builds}`, ...binds(plan)],
      ...(docker === undefined
        ? {}
        : dropEmpty({
            ShmSize: bytes(docker.shm_size),
            Tmpfs: { ...docker.services_tmpfs },
            CpuShares: docker.service_cpu_shares,
            CpusetCpus: docker.service_cpuset_cpus,
            Devices: docker.services_devices.map(device),
            DeviceRequests: gpuRequests(docker.service_gpus),
            SecurityOpt: [...docker.services_security_opt],
            ...(docker.service_memory_swap > 0
              ? { MemorySwap: bytes(docker.service_memory_swap) }
              : {}),
          })),
    },
  };
}

function joinedSpec(
  plan: ContainersPlan,
  container: ContainerPlan,
  context: SpecContext,
  agentId: string,
): ContainerCreateOptions {
  const { options } = plan;
  return {
    name: `${context.prefix}-${container.name}`,
    Image: container.image,
    Labels: { ...context.labels },
    Env: container.environment.map(({ name, value }) => `${name}=${value.reveal()}`),
    ...(container.user === "" ? {} : { User: container.user }),
    ...(container.platform === "" ? {} : { platform: container.platform }),
    ...(container.entrypoint === undefined ? {} : { Entrypoint: entrypoint(container.entrypoint) }),
    HostConfig: {
      NetworkMode: `container:${agentId}`,
      // Each container has its own: a job that has used up its own is heard by its agent all the same.
      PidsLimit: plan.docker?.pids_limit || usualPidsLimit,
      CapAdd: [...options.capAdd],
      CapDrop: [...options.capDrop],
      Ulimits: options.ulimits.map(({ name, soft, hard }) => ({
        Name: name,
        Soft: soft,
        Hard: hard,
      })),
      ...dropEmpty({
        NanoCpus: Math.round((container.cpuUnits / 1024) * 1e9),
        Memory: container.memoryMiB * mebibyte,
        MemoryReservation: container.memoryReservationMiB * mebibyte,
        // The same as the limit: no swap, or a job that needs more only gets slow.
        MemorySwap: container.memoryMiB * mebibyte,
      }),
    },
  };
}

/** An empty list means none, which the engine calls `[""]`. */
function entrypoint(parts: readonly string[]): string[] {
  return parts.length === 0 ? [""] : [...parts];
}

function bytes(mebibytes: number): number {
  return mebibytes * mebibyte;
}

/** Directories of the machine and volumes with a name. */
function binds({ docker }: ContainersPlan): string[] {
  return docker?.volumes.filter((volume) => volume.includes(":")) ?? [];
}

/** A path alone is a volume without a name, which goes with its container. */
function anonymousVolumes({ docker }: ContainersPlan): Pick<ContainerCreateOptions, "Volumes"> {
  const paths = docker?.volumes.filter((volume) => !volume.includes(":")) ?? [];
  return paths.length === 0 ? {} : { Volumes: Object.fromEntries(paths.map((path) => [path, {}])) };
}

function device(text: string) {
  const [host = text, container = host, permissions = "rwm"] = text.split(":");
  return { PathOnHost: host, PathInContainer: container, CgroupPermissions: permissions };
}

function gpuRequests(gpus: string) {
  if (gpus === "") return [];
  const ids = /^device=(.+)$/.exec(gpus)?.[1]?.split(",");
  const count = gpus === "all" ? -1 : Number(gpus);
  return [
    ids === undefined
      ? { Capabilities: [["gpu"]], Count: Number.isNaN(count) ? -1 : count }
      : { Capabilities: [["gpu"]], DeviceIDs: ids },
  ];
}

/** The engine takes an absent key for its default, and an empty one not always. */
function dropEmpty(config: HostConfig): HostConfig {
  return Object.fromEntries(
    Object.entries(config).filter(([, value]) => {
      if (value === 0 || value === "" || value === undefined) return false;
      if (Array.isArray(value)) return value.length > 0;
      return typeof value !== "object" || value === null || Object.keys(value).length > 0;
    }),
  );
}
