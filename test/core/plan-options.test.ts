import { expect, test } from "vitest";
import { fargateObjections } from "../../src/core/plan-options.ts";
import { settingsOf } from "./plan-case.ts";

test("settings with nothing set ask for nothing that Fargate lacks", () => {
  expect(fargateObjections(settingsOf())).toEqual({ refusals: [], warnings: [] });
});

test.each<[string, object]>([
  ["capabilities that it can add", { cap_add: ["SYS_PTRACE", "CAP_SYS_PTRACE"] }],
  ["capabilities to drop", { cap_drop: ["NET_RAW"] }],
  [
    "kernel parameters of the network and of IPC",
    { sysctls: { "net.core.somaxconn": "1", "kernel.shmmax": "1", "fs.mqueue.msg_max": "1" } },
  ],
  ["limits on open files", { ulimit: { nofile: "1048576" } }],
  ["hosts by name, which the agent writes", { extra_hosts: ["sonar:10.0.0.7"] }],
  ["volumes that are only paths, which are its own disk", { volumes: ["/cache"] }],
  ["labels, which become tags", { container_labels: { team: "a" } }],
])("Fargate has %s", (_, settings) => {
  expect(fargateObjections(settingsOf(settings))).toEqual({ refusals: [], warnings: [] });
});

test.each<[string, object, string]>([
  ["GPUs", { gpus: "all" }, "setting gpus cannot be met: Fargate has no GPUs"],
  [
    "GPUs of services",
    { service_gpus: "1" },
    "setting service_gpus cannot be met: Fargate has no GPUs",
  ],
  ["devices", { devices: ["/dev/kvm"] }, "setting devices cannot be met: Fargate gives no devices"],
  ["another runtime", { runtime: "runsc" }, "setting runtime cannot be met"],
  ["another network", { network_mode: "ci" }, "setting network_mode cannot be met"],
  [
    "capabilities",
    { cap_add: ["NET_ADMIN"] },
    "cap_add names NET_ADMIN, and Fargate can add SYS_PTRACE only",
  ],
  [
    "directories of a machine",
    { volumes: ["/srv/x:/x:ro"] },
    "volumes names /srv/x:/x:ro, and Fargate has no machine",
  ],
  [
    "other kernel parameters",
    { sysctls: { "vm.max_map_count": "1" } },
    "sysctls names vm.max_map_count",
  ],
  [
    "limits that ECS has no name for",
    { ulimit: { as: "1000" } },
    "ulimit names as, and ECS knows core, cpu, data",
  ],
  [
    "more open files than there may be",
    { ulimit: { nofile: "2000000" } },
    "asks for 2000000 open files, and Fargate allows 1048576",
  ],
])("a runner whose jobs need what Fargate lacks refuses them: %s", (_, settings, message) => {
  const { refusals, warnings } = fargateObjections(settingsOf(settings));
  expect(warnings).toEqual([]);
  expect(refusals).toHaveLength(1);
  expect(refusals[0]).toContain(message);
});

test.each<[string, object, string]>([
  [
    "shared memory",
    { shm_size: "1g" },
    "setting shm_size has no effect on Fargate; Chrome wants --disable-dev-shm-usage",
  ],
  [
    "DNS servers",
    { dns: ["1.1.1.1"] },
    "setting dns has no effect on Fargate; names come from the DNS of the VPC",
  ],
  [
    "directories in memory",
    { tmpfs: { "/tmp": "size=1g" } },
    "setting tmpfs has no effect on Fargate",
  ],
  [
    "a cache in a bucket of one's own",
    { cache: { type: "s3", s3: { bucket_name: "b" } } },
    "cache.type: s3 and cache.s3 have no effect on AWS: caches are in the bucket of the deployment",
  ],
  ["swap", { memory_swap: "4g" }, "setting memory_swap has no effect on Fargate"],
  [
    "security options",
    { security_opt: ["no-new-privileges"] },
    "setting security_opt has no effect on Fargate",
  ],
  [
    "the gateway of a host",
    { extra_hosts: ["me:host-gateway"] },
    "extra_hosts names host-gateway, and Fargate has no host",
  ],
])("what a job can do without is a warning: %s", (_, settings, message) => {
  const { refusals, warnings } = fargateObjections(settingsOf(settings));
  expect(refusals).toEqual([]);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain(message);
});
