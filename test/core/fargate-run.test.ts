import { expect, test } from "vitest";
import { runTaskRequest } from "../../src/core/fargate-run.ts";
import { fargateSizes } from "../../src/core/size.ts";
import { checkOverrides, checkRequest } from "../fakes/ecs/check-run.ts";
import { checkDefinition } from "../fakes/ecs/check-definition.ts";
import { define, fargatePlan, launch, place, start } from "./fargate-case.ts";
import type { FargateCase } from "./fargate-case.ts";

const postgres = { name: "postgres:17", alias: "db" };

function override(wanted: FargateCase, name: string | RegExp) {
  const { containerOverrides } = start(wanted).overrides;
  const found = containerOverrides.find((one) =>
    typeof name === "string" ? one.name === name : name.test(one.name),
  );
  const { name: _, ...rest } = found ?? { name: "" };
  return rest;
}

test("a request says who, where and how large", () => {
  const request = start();
  expect(request).toMatchObject({
    cluster: "gitlab-burst-default",
    taskDefinition: "family",
    clientToken: "0123456789abcdef",
    startedBy: "team/1024/0123456789abcdef0123456789abcdef",
    count: 1,
    platformVersion: "1.4.0",
    capacityProviderStrategy: [{ capacityProvider: "FARGATE", weight: 1 }],
    networkConfiguration: {
      awsvpcConfiguration: {
        subnets: ["subnet-1", "subnet-2"],
        securityGroups: ["sg-1"],
        assignPublicIp: "ENABLED",
      },
    },
  });
  expect(request.launchType).toBeUndefined();
  expect(request.overrides).toMatchObject({ cpu: "1024", memory: "2048" });
  expect(request.overrides.ephemeralStorage).toBeUndefined();
  expect(request.overrides.taskRoleArn).toBeUndefined();
});

test("the same launch is the same request, character by character", () => {
  const wanted = { job: { services: [postgres] }, variables: { BURST_DISK: "50" } };
  expect(JSON.stringify(start(wanted))).toBe(JSON.stringify(start(wanted)));
});

test("a rung of Spot is a capacity provider", () => {
  const { capacityProviderStrategy } = start({}, { launch: { capacityProvider: "FARGATE_SPOT" } });
  expect(capacityProviderStrategy).toEqual([{ capacityProvider: "FARGATE_SPOT", weight: 1 }]);
});

test("size, disk and role are the job's", () => {
  const { overrides } = start({
    variables: { BURST_CPU: "4", BURST_MEMORY: "16g", BURST_DISK: "100" },
    settings: {
      job_roles: [
        {
          project: "**",
          role_arn: "arn:aws:iam::123456789012:role/jobs/x",
          protected_refs_only: false,
        },
      ],
    },
  });
  expect(overrides).toMatchObject({
    cpu: "4096",
    memory: "16384",
    ephemeralStorage: { sizeInGiB: 100 },
    taskRoleArn: "arn:aws:iam::123456789012:role/jobs/x",
  });
});

test("the disk that every task has is not asked for", () => {
  expect(start({ variables: { BURST_DISK: "20" } }).overrides.ephemeralStorage).toBeUndefined();
});

test("the job's hard limit leaves the agent its 256 MB, and they are kept for it", () => {
  expect(override({}, "job")).toEqual({ memory: 1792, memoryReservation: 6 });
  expect(override({}, "agent")).toEqual({ memoryReservation: 256 });
});

test("a reservation of the settings is kept", () => {
  expect(override({ settings: { memory_reservation: "1g" } }, "job")).toEqual({
    memory: 1792,
    memoryReservation: 1024,
  });
});

test("a service without a limit may use what the task has", () => {
  expect(override({ job: { services: [postgres] } }, /^svc-0/)).toEqual({});
});

test("a service's limit and reservation are the settings'", () => {
  const job = { services: [postgres] };
  expect(override({ job, settings: { service_memory: "512m" } }, /^svc-0/)).toEqual({
    memory: 512,
    memoryReservation: 6,
  });
  const settings = { service_memory: "512m", service_memory_reservation: "128m" };
  expect(override({ job, settings }, /^svc-0/)).toEqual({ memory: 512, memoryReservation: 128 });
});

test("without a weight for services nobody has one; with one, the job has what is left", () => {
  const job = { services: [postgres, { name: "redis:8", alias: "cache" }] };
  expect(start({ job }).overrides.containerOverrides.some(({ cpu }) => cpu !== undefined)).toBe(
    false,
  );
  const cpus = (wanted: FargateCase) =>
    start(wanted).overrides.containerOverrides.map(({ cpu }) => cpu);
  expect(cpus({ job, settings: { service_cpus: "0.125" } })).toEqual([256, 512, 128, 128]);
  // As much as the task has for each would leave nothing: an even share.
  expect(cpus({ job, settings: { service_cpus: "1" } })).toEqual([256, 256, 256, 256]);
});

test("environment files are ARNs in the state bucket, in the partition of the account", () => {
  const environmentFiles = { agent: "jobs/0123/1-0-0/agent.env" };
  const [agent] = start({}, { launch: { environmentFiles } }).overrides.containerOverrides;
  expect(agent?.environmentFiles).toEqual([
    { type: "s3", value: "arn:aws:s3:::state-123456789012/jobs/0123/1-0-0/agent.env" },
  ]);
  const [chinese] = start(
    {},
    {
      launch: { environmentFiles },
      place: { executionRole: "arn:aws-cn:iam::123456789012:role/x" },
    },
  ).overrides.containerOverrides;
  expect(chinese?.environmentFiles?.[0]?.value).toMatch(/^arn:aws-cn:s3:::/);
});

test("no value of any variable is in a request", () => {
  const job = {
    services: [{ ...postgres, variables: [{ key: "PGPASSWORD", value: "s3cret" }] }],
    variables: [{ key: "TOKEN", value: "t0ken", public: false }],
  };
  const text = JSON.stringify(start({ job, variables: { TOKEN: "t0ken" } }));
  expect(text).not.toMatch(/s3cret|t0ken/);
  expect(JSON.stringify(define({ job, variables: { TOKEN: "t0ken" } }))).not.toMatch(
    /s3cret|t0ken/,
  );
});

test("labels become tags that AWS takes", () => {
  const { tags } = start({}, { launch: { labels: { ref: "feature/#12 [wip]", project: "a/b" } } });
  expect(tags).toEqual([
    { key: "ref", value: "feature/_12 _wip_" },
    { key: "project", value: "a/b" },
  ]);
});

test("overrides longer than ECS takes are refused in a sentence", () => {
  const environmentFiles = { agent: "x".repeat(8200) };
  expect(
    runTaskRequest(fargatePlan(), "family", place, { ...launch, environmentFiles }),
  ).toMatchObject({
    kind: "refusal",
    message: expect.stringMatching(
      /2 containers takes 8\d{3} characters to say, and ECS takes 8192/,
    ),
  });
});

test("ten containers, each with a file in a bucket of the longest name, are short enough", () => {
  const services = Array.from({ length: 8 }, (_, index) => ({
    name: `registry.example.com/group/subgroup/project/a-rather-long-name-of-an-image-${index}:1`,
  }));
  const plan = fargatePlan({ job: { services }, settings: { service_memory: "128m" } });
  const key = (name: string) => `jobs/${"0".repeat(32)}/10-10-100/${name}.env`;
  const environmentFiles = Object.fromEntries(
    [plan.agent, plan.job, ...plan.services].map(({ name }) => [name, key(name)]),
  );
  const made = runTaskRequest(
    plan,
    "family",
    { ...place, stateBucket: "b".repeat(63) },
    { ...launch, environmentFiles },
  );
  expect(made.kind).toBe("request");
});

/** What the fake of ECS says to a job's definition and launch. */
function accept(wanted: FargateCase) {
  const definition = define(wanted);
  const writable = structuredClone(definition) as unknown as Parameters<typeof checkDefinition>[0];
  checkDefinition(writable);
  const request = structuredClone(start(wanted)) as unknown as Parameters<typeof checkRequest>[0];
  checkRequest(request, ["FARGATE", "FARGATE_SPOT"]);
  const known = writable as unknown as Parameters<typeof checkOverrides>[1];
  return checkOverrides(request.overrides ?? {}, known);
}

test("every size that Fargate has is one that ECS takes, with services and their limits", () => {
  const services = Array.from({ length: 8 }, (_, index) => ({ ...postgres, alias: `db${index}` }));
  for (const { cpuUnits, memoriesMiB } of fargateSizes) {
    for (const memoryMiB of memoriesMiB) {
      const wanted: FargateCase = {
        job: { services },
        variables: { BURST_CPU: String(cpuUnits), BURST_MEMORY: `${memoryMiB}m` },
        settings: { service_memory: "256m", service_cpus: "0.5" },
      };
      expect(accept(wanted)).toEqual({ cpuUnits, memoryMiB });
    }
  }
});

test.each<[rule: string, settings: object]>([
  ["all that is promised is what the task has", { memory_reservation: "1792m" }],
  [
    "services with a reservation and no limit",
    { memory_reservation: "768m", service_memory_reservation: "1g" },
  ],
  [
    "services with a reservation that is their limit",
    { service_memory: "1g", service_memory_reservation: "1g" },
  ],
  [
    "limits together more than the task has",
    { service_memory: "2g", service_memory_reservation: "1g" },
  ],
])("memory that settings promise is within what ECS takes: %s", (_, settings) => {
  accept({ job: { services: [postgres] }, settings });
});
