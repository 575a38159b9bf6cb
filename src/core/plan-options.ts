// Settings about containers that not every executor has: what Fargate does without (a warning in the log),
// and what a job must not go without (a refusal). docker takes all of them.

import { ulimitNames } from "./fargate-task.ts";
import type { Settings } from "./settings.ts";

const dockerOnly = [
  "cpu_shares",
  "cpuset_cpus",
  "cpuset_mems",
  "device_cgroup_rules",
  "devices",
  "dns",
  "dns_search",
  "gpus",
  "group_add",
  "hostname",
  "memory_swap",
  "network_mode",
  "pids_limit",
  "runtime",
  "security_opt",
  "service_cpu_shares",
  "service_cpuset_cpus",
  "service_gpus",
  "service_memory_swap",
  "services_devices",
  "services_security_opt",
  "services_tmpfs",
  "shm_size",
  "tmpfs",
  "volumes",
] as const satisfies readonly (keyof Settings)[];
type DockerOnly = (typeof dockerOnly)[number];

/** What only a local engine has, by the settings' names. */
export type DockerOptions = Readonly<Pick<Settings, DockerOnly>>;

/** What docker and Fargate both have. */
export interface ContainerOptions {
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly sysctls: Readonly<Record<string, string>>;
  readonly ulimits: readonly {
    readonly name: string;
    readonly soft: number;
    readonly hard: number;
  }[];
  /** Names that the job's containers know besides their services'. */
  readonly hosts: readonly { readonly name: string; readonly address: string }[];
}

export function containerOptions(settings: Settings): ContainerOptions {
  return {
    capAdd: settings.cap_add,
    capDrop: settings.cap_drop,
    sysctls: settings.sysctls,
    ulimits: settings.ulimit,
    hosts: settings.extra_hosts,
  };
}

/** A job that needed these would fail in ways that nobody understands. */
const gpu = "Fargate has no GPUs: have the job run on a runner with GPUs, by its tags";
const device = "Fargate gives no devices: have the job run on a runner on a machine, by its tags";
const needed: Partial<Record<DockerOnly, string>> = {
  gpus: gpu,
  service_gpus: gpu,
  devices: device,
  services_devices: device,
  device_cgroup_rules: device,
  runtime: "Fargate has one container runtime only: remove the setting",
  network_mode: "every task on Fargate has a network of its own: remove the setting",
};

/** What can be done without them; by default nothing. */
const advice: Partial<Record<DockerOnly, string>> = {
  shm_size: "; Chrome wants --disable-dev-shm-usage for that",
  dns: "; names come from the DNS of the VPC",
  dns_search: "; names come from the DNS of the VPC",
  cpu_shares: "; a job may use all of its task's CPU",
  hostname: "; the name is the task's",
};

export interface FargateObjections {
  readonly refusals: readonly string[];
  readonly warnings: readonly string[];
}

/** What the settings ask for that Fargate does not have: true for every job of the runner. */
export function fargateObjections(settings: Settings): FargateObjections {
  const refusals: string[] = [];
  const warnings: string[] = [];
  for (const key of dockerOnly) {
    if (key === "volumes" || !isSet(settings[key])) continue;
    const reason = needed[key];
    if (reason === undefined) {
      warnings.push(`The runner's setting ${key} has no effect on Fargate${advice[key] ?? ""}`);
    } else {
      refusals.push(`The runner's setting ${key} cannot be met: ${reason}`);
    }
  }
  refusals.push(...volumeRefusals(settings.volumes), ...capabilityRefusals(settings.cap_add));
  refusals.push(...kernelRefusals(settings));
  if (settings.cache.type === "s3" || isSet(settings.cache.s3.bucket_name)) {
    warnings.push(
      "The runner's settings cache.type: s3 and cache.s3 have no effect on AWS: caches are in the bucket of the deployment",
    );
  }
  if (settings.extra_hosts.some(({ address }) => address === "host-gateway")) {
    warnings.push("The runner's setting extra_hosts names host-gateway, and Fargate has no host");
  }
  return { refusals, warnings };
}

function isSet(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return value !== "" && value !== 0;
}

/** A path of the container alone is its own disk anyway; one of a machine is on no machine. */
function volumeRefusals(volumes: readonly string[]): readonly string[] {
  return volumes
    .filter((volume) => volume.includes(":"))
    .map(
      (volume) =>
        `The runner's setting volumes names ${volume}, and Fargate has no machine to share directories ` +
        "with: bring the files in the image, as an artifact or as a cache",
    );
}

function capabilityRefusals(capabilities: readonly string[]): readonly string[] {
  return capabilities
    .filter((name) => !/^(?:CAP_)?SYS_PTRACE$/i.test(name))
    .map(
      (name) =>
        `The runner's setting cap_add names ${name}, and Fargate can add SYS_PTRACE only: remove it, ` +
        "or have such jobs run on a runner on a machine, by their tags",
    );
}

const mostOpenFiles = 1_048_576;

function kernelRefusals({ sysctls, ulimit }: Settings): readonly string[] {
  const known =
    /^(?:net\.|fs\.mqueue\.|kernel\.(?:msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)$)/;
  const refusals = Object.keys(sysctls)
    .filter((name) => !known.test(name))
    .map(
      (name) =>
        `The runner's setting sysctls names ${name}, and Fargate has the keys of net. and of IPC only: remove it`,
    );
  const limits: readonly string[] = ulimitNames;
  refusals.push(
    ...ulimit
      .filter(({ name }) => !limits.includes(name))
      .map(
        ({ name }) =>
          `The runner's setting ulimit names ${name}, and ECS knows ${limits.join(", ")}: remove it`,
      ),
  );
  const files = ulimit.find(({ name, hard }) => name === "nofile" && hard > mostOpenFiles);
  if (files !== undefined) {
    refusals.push(
      `The runner's setting ulimit asks for ${files.hard} open files, and Fargate allows ${mostOpenFiles}: ask for less`,
    );
  }
  return refusals;
}
