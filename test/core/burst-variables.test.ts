import { expect, test } from "vitest";
import { shapeTask } from "../../src/core/burst-variables.ts";
import type { ContainerExecutor } from "../../src/core/image-unrunnable.ts";
import { settingsOf, variablesOf } from "./plan-case.ts";

type Variables = Record<string, string>;

function shape(
  variables: Variables,
  settings: object = {},
  executor: ContainerExecutor = "fargate",
) {
  return shapeTask({ executor, settings: settingsOf(settings), get: variablesOf(variables).get });
}

test.each<[string, Variables, object, object]>([
  [
    "nothing asked for is the settings' default",
    {},
    {},
    {
      size: { cpuUnits: 1024, memoryMiB: 2048 },
      diskGiB: 20,
      architecture: undefined,
      capacity: "on-demand",
      rerunOnLoss: false,
    },
  ],
  ["cpu is asked for", { BURST_CPU: "2" }, {}, { size: { cpuUnits: 2048, memoryMiB: 4096 } }],
  [
    "memory is asked for",
    { BURST_MEMORY: "4g" },
    {},
    { size: { cpuUnits: 1024, memoryMiB: 4096 } },
  ],
  [
    "both are asked for",
    { BURST_CPU: "4", BURST_MEMORY: "16" },
    {},
    { size: { cpuUnits: 4096, memoryMiB: 16_384 } },
  ],
  [
    "ECS's own numbers are understood",
    { BURST_CPU: "512", BURST_MEMORY: "1024" },
    {},
    { size: { cpuUnits: 512, memoryMiB: 1024 } },
  ],
  [
    "sizes are rounded up to those Fargate has",
    { BURST_CPU: "1.5", BURST_MEMORY: "4.2g" },
    {},
    { size: { cpuUnits: 2048, memoryMiB: 5120 } },
  ],
  [
    "the settings' default is rounded too",
    {},
    { cpus: "0.3", memory: "900m" },
    { size: { cpuUnits: 512, memoryMiB: 1024 } },
  ],
  [
    "a limit may be reached",
    { BURST_CPU: "2" },
    { sizes: { maximum: { cpu: 2, memory: "4g" } } },
    { size: { cpuUnits: 2048, memoryMiB: 4096 } },
  ],
  ["disk is asked for", { BURST_DISK: "100" }, {}, { diskGiB: 100 }],
  ["disk may have its unit", { BURST_DISK: "50 GB" }, {}, { diskGiB: 50 }],
  ["less disk than there always is costs nothing less", { BURST_DISK: "5" }, {}, { diskGiB: 20 }],
  ["arm64 is asked for", { BURST_ARCH: "arm64" }, {}, { architecture: "arm64" }],
  ["processors have several names", { BURST_ARCH: "aarch64" }, {}, { architecture: "arm64" }],
  ["so has x86-64", { BURST_ARCH: "AMD64" }, {}, { architecture: "x86_64" }],
  ["Spot is asked for", { BURST_CAPACITY: "spot" }, {}, { capacity: "spot" }],
  [
    "on-demand is asked for on a runner of Spot",
    { BURST_CAPACITY: "on_demand" },
    { capacity: "spot" },
    { capacity: "on-demand" },
  ],
  ["running again is allowed", { BURST_RERUN_ON_LOSS: "true" }, {}, { rerunOnLoss: true }],
  [
    "running again is forbidden where the settings allow it",
    { BURST_RERUN_ON_LOSS: "0" },
    { rerun_on_loss: true },
    { rerunOnLoss: false },
  ],
  [
    "an empty variable asks for nothing",
    { BURST_CPU: "" },
    { allowed_burst_variables: [] },
    { capacity: "on-demand" },
  ],
])("%s", (_, variables, settings, expected) => {
  expect(shape(variables, settings)).toMatchObject({ kind: "shape", ...expected });
});

test("docker takes sizes as they are: a machine has all of them", () => {
  expect(shape({ BURST_CPU: "0.1", BURST_MEMORY: "300m" }, {}, "docker")).toMatchObject({
    size: { cpuUnits: 102, memoryMiB: 300 },
  });
});

test.each<[string, Variables, object, string]>([
  [
    "more than the runner allows",
    { BURST_CPU: "8", BURST_MEMORY: "16g" },
    {},
    "The job asks for 8 vCPU and 16 GB, and this runner allows 4 vCPU and 30 GB. Ask for less by BURST_CPU and BURST_MEMORY, or have sizes.maximum",
  ],
  [
    "more than allowed only because of rounding",
    { BURST_MEMORY: "9g" },
    { sizes: { maximum: { cpu: 1, memory: "30g" } } },
    "The job asks for 1 vCPU and 9 GB (on Fargate 2 vCPU and 9 GB), and this runner allows 1 vCPU and 30 GB",
  ],
  [
    "more than Fargate has",
    { BURST_CPU: "64" },
    { sizes: { maximum: { cpu: 100, memory: "999g" } } },
    "which Fargate does not have: its largest task has 32 vCPU and 244 GB",
  ],
  [
    "more than all jobs together may use",
    { BURST_CPU: "8" },
    { sizes: { maximum: { cpu: 16, memory: "60g" } } },
    "The job asks for 8 vCPU, and all jobs of this runner together may use 6: it could never start",
  ],
  [
    "more disk than the runner allows",
    { BURST_DISK: "90" },
    { disk: { maximum: 50 } },
    "BURST_DISK asks for 90 GB of disk, and this runner allows 50 GB",
  ],
  ["more disk than there is", { BURST_DISK: "500" }, {}, "this runner allows 200 GB"],
  [
    "a cpu that is none",
    { BURST_CPU: "many" },
    {},
    'BURST_CPU is "many", which cannot be read: write vCPU such as 0.5',
  ],
  [
    "a memory that is none",
    { BURST_MEMORY: "4 gigs" },
    {},
    'BURST_MEMORY is "4 gigs", which cannot be read',
  ],
  ["a disk that is none", { BURST_DISK: "0" }, {}, 'BURST_DISK is "0", which cannot be read'],
  [
    "processors that are none",
    { BURST_ARCH: "riscv64" },
    {},
    'BURST_ARCH is "riscv64", which cannot be read: write x86_64 or arm64',
  ],
  ["a capacity that is none", { BURST_CAPACITY: "cheap" }, {}, "write on-demand or spot"],
  ["a truth that is none", { BURST_RERUN_ON_LOSS: "yes" }, {}, "write true or false"],
  [
    "a variable that the runner does not allow",
    { BURST_CAPACITY: "spot" },
    { allowed_burst_variables: ["BURST_CPU", "BURST_MEMORY"] },
    "This runner does not let jobs set BURST_CAPACITY (it allows BURST_CPU, BURST_MEMORY). Remove the variable",
  ],
  [
    "any variable where none is allowed",
    { BURST_CPU: "1" },
    { allowed_burst_variables: [] },
    "(it allows none)",
  ],
])("refused in a sentence: %s", (_, variables, settings, message) => {
  const outcome = shape(variables, settings);
  expect(outcome).toMatchObject({ kind: "refusal", reason: "runner_configuration_error" });
  expect(outcome.kind === "refusal" && outcome.message).toContain(message);
});

test("a runner without a budget takes every size it allows", () => {
  const settings = { vcpu_budget: 0, sizes: { maximum: { cpu: 16, memory: "60g" } } };
  expect(shape({ BURST_CPU: "16" }, settings).kind).toBe("shape");
});
