// Settings about a job's containers: what config.toml has under [runners.docker], without the level between.
// What only some executors have is taken here all the same; planTask says what becomes of it.

import * as z from "zod";
import { patternError } from "./image-pattern.ts";
import { environment, registryAuth } from "./settings-environment.ts";
import {
  cpu,
  duration,
  expected,
  flag,
  found,
  memory,
  oneOf,
  refuse,
  section,
  text,
  textMap,
  texts,
  whole,
} from "./settings-field.ts";

export const pullPolicies = ["always", "if-not-present", "never"] as const;
export type PullPolicy = (typeof pullPolicies)[number];

function policies(description: string, fallback: PullPolicy[]) {
  return z
    .union([oneOf(pullPolicies), z.array(oneOf(pullPolicies))], {
      error: ({ input }) => {
        const words = pullPolicies.map((policy) => JSON.stringify(policy)).join(", ");
        return `expected one of ${words}, or a list of them, found ${found(input, true)}`;
      },
    })
    .transform((value) => (Array.isArray(value) ? value : [value]))
    .prefault(fallback)
    .describe(description);
}

function patterns(description: string) {
  const pattern = z.string(expected("a text")).superRefine((value, context) => {
    const complaint = patternError(value);
    if (complaint !== undefined) refuse(context, value, `${JSON.stringify(value)}: ${complaint}`);
  });
  return z.array(pattern, expected("a list of texts")).default([]).describe(description);
}

const words = z.array(z.string(expected("a text")), expected("a list of texts")).optional();

const serviceShape = {
  name: z
    .string(expected("the name of an image"))
    .min(1, { error: "expected the name of an image" })
    .describe("Image of the service."),
  alias: text("More names for the service, separated by spaces or commas."),
  command: words.describe("What the service runs, instead of its image's command."),
  entrypoint: words.describe("What starts it, instead of its image's entrypoint."),
  environment: environment("Variables of the service."),
} as const;

const services = z
  .array(section("a map with the key name", serviceShape), expected("a list of services"))
  .default([])
  .describe(
    "Services that every job gets, before its own: name, alias, command, entrypoint, environment.",
  );

const ulimit = z
  .record(z.string(), z.union([z.string(), z.number()]), expected("a map of limits"))
  .transform((map, context) =>
    Object.entries(map).map(([name, value]) => {
      const match = /^(-?\d+)(?::(-?\d+))?$/.exec(`${value}`);
      if (match === null) {
        return refuse(
          context,
          value,
          `${name}: expected a number, or two as "soft:hard", found ${found(value, true)}`,
        );
      }
      return { name, soft: Number(match[1]), hard: Number(match[2] ?? match[1]) };
    }),
  )
  .prefault({})
  .describe(
    'Limits of the job\'s processes, each a number or "soft:hard", such as nofile: "65535".',
  );

const extraHosts = z
  .array(z.string(expected('a text "name:address"')), expected('a list of "name:address"'))
  .transform((lines, context) =>
    lines.map((line) => {
      const match = /^([A-Za-z0-9][A-Za-z0-9._-]*):\[?([0-9A-Fa-f:.]+|host-gateway)\]?$/.exec(line);
      if (match === null) {
        return refuse(context, line, `expected "name:address", found ${JSON.stringify(line)}`);
      }
      return { name: match[1] ?? "", address: match[2] ?? "" };
    }),
  )
  .prefault([])
  .describe('Hosts that the job knows by name, each as "name:address".');

const volume = z.string(expected("a text")).superRefine((value, context) => {
  if (!value.includes("docker.sock")) return;
  refuse(
    context,
    value,
    "the engine's socket is not given to jobs: whoever holds it is root on the machine. " +
      "To build images use a builder that needs no daemon, such as kaniko, or one elsewhere, such as CodeBuild",
  );
});

const networkMode = z
  .string(expected("a text"))
  .refine((mode) => !/^(?:host|none|container:.*)$/.test(mode), {
    error: ({ input }) =>
      `${found(input, true)} cannot be had: a job's containers share one network of their own, which must ` +
      "reach GitLab but not the runner's machine; name a bridge network, or remove the key",
  })
  .default("")
  .describe(
    "Bridge network that a job's containers join; without it one of their own. Docker only.",
  );

export const containerShape = {
  image: text(
    "Image for jobs that name none; without it such jobs are refused, except on processes.",
  ),
  allowed_images: patterns(
    'Patterns of images that jobs may use, such as "ruby:*"; any without it.',
  ),
  allowed_services: patterns("Patterns of images that jobs may use as services; any without it."),
  allowed_users: texts("Users that jobs may choose for their containers; any without it."),
  user: text("User that jobs run as, whatever they or their image say."),
  pull_policy: policies("When images are pulled; several are tried in order.", ["always"]),
  allowed_pull_policies: policies(
    "Pull policies that jobs may choose; those of `pull_policy` without it.",
    [],
  ),
  disable_entrypoint_overwrite: flag(
    "Whether jobs and services keep the entrypoint of their image.",
    false,
  ),
  services,
  services_limit: whole("How many services a job may have; -1 for any number.", -1, { from: -1 }),
  wait_for_services_timeout: duration(
    "How long services may take to listen; -1 not to wait.",
    30,
    -1,
  ),
  registry_auth: registryAuth(
    "Logins for private registries, a docker config.json. On AWS it belongs into the parameter registry-auth, which is encrypted.",
  ),
  cpus: cpu("CPU of a job that asks for none; config.toml's name for sizes.default.cpu."),
  memory: memory(
    "Memory of a job that asks for none; config.toml's name for sizes.default.memory.",
  ),
  memory_reservation: memory("Memory kept free for the job's container."),
  service_cpus: cpu("CPU that one service may use at most."),
  service_memory: memory("Memory that one service may use at most."),
  service_memory_reservation: memory("Memory kept free for one service."),
  pids_limit: whole(
    "Processes and threads that each container of a job may have; 0: 4096, -1: any number. Docker only.",
    0,
    { from: -1 },
  ),
  ulimit,
  sysctls: textMap("Kernel parameters of the job's containers, such as net.core.somaxconn."),
  extra_hosts: extraHosts,
  cap_add: texts("Linux capabilities that the job gets. Fargate knows SYS_PTRACE only."),
  cap_drop: texts("Linux capabilities that the job loses."),
  container_labels: textMap(
    "Labels on a job's containers, tags on its task; variables are put in.",
  ),
  volumes: z
    .array(volume, expected("a list of texts"))
    .default([])
    .describe(
      "Volumes and directories of the machine that jobs get, as `docker run -v` takes them. Docker only.",
    ),
  network_mode: networkMode,
  dns: texts("DNS servers of the job. Docker only."),
  dns_search: texts("DNS search domains of the job. Docker only."),
  hostname: text("Host name that the job sees. Docker only."),
  shm_size: memory("Size of /dev/shm. Docker only."),
  tmpfs: textMap("Directories of the job in memory, with their mount options. Docker only."),
  services_tmpfs: textMap(
    "Directories of services in memory, with their mount options. Docker only.",
  ),
  memory_swap: memory("Memory and swap together. Docker only."),
  service_memory_swap: memory("Memory and swap together of a service. Docker only."),
  cpu_shares: whole("Weight of the job's CPU. Docker only.", 0),
  service_cpu_shares: whole("Weight of a service's CPU. Docker only.", 0),
  cpuset_cpus: text("CPUs that the job may run on. Docker only."),
  cpuset_mems: text("Memory nodes that the job may use. Docker only."),
  service_cpuset_cpus: text("CPUs that services may run on. Docker only."),
  devices: texts("Devices of the machine that the job gets. Docker only."),
  services_devices: texts("Devices of the machine that services get. Docker only."),
  device_cgroup_rules: texts("Rules for access to devices. Docker only."),
  gpus: text("GPUs that the job gets, as `docker run --gpus` takes them. Docker only."),
  service_gpus: text("GPUs that services get. Docker only."),
  group_add: texts("More groups of the job's user. Docker only."),
  runtime: text("Container runtime, such as runsc. Docker only."),
  security_opt: texts("Security options of the job's container. Docker only."),
  services_security_opt: texts("Security options of services. Docker only."),
} as const;
