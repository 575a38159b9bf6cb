import * as z from "zod";
import { expect, test } from "vitest";
import { defaultSettings, parseSettings, settingsSchema } from "../../src/core/settings.ts";

const where = "/gitlab-burst/default/runners/main/settings";

function settings(input: unknown) {
  const parsed = parseSettings(input, where);
  if (parsed.kind === "invalid") throw new Error(parsed.message);
  return parsed.settings;
}

function complaints(input: unknown): readonly string[] {
  const parsed = parseSettings(input, where);
  return parsed.kind === "invalid" ? parsed.message.split("\n") : [];
}

test("settings may be empty: everything has a default", () => {
  expect(settings({})).toMatchObject({
    url: "https://gitlab.com",
    paused: false,
    limit: 0,
    request_concurrency: 1,
    check_interval: 3,
    output_limit: 4096,
    unhealthy_requests_limit: 3,
    unhealthy_interval: 3600,
    job_status_final_update_retry_limit: 10,
    builds_dir: "",
    cache_dir: "",
    custom_build_dir: { enabled: true },
    environment: [],
    pre_build_script: "",
    debug_trace_disabled: false,
    safe_directory_checkout: true,
    get_sources_timeout: 0,
    artifact: { upload_timeout: 3600, response_header_timeout: 600 },
    image: "",
    allowed_images: [],
    pull_policy: ["always"],
    allowed_pull_policies: [],
    services: [],
    services_limit: -1,
    wait_for_services_timeout: 30,
    sizes: {
      default: { cpuUnits: 1024, memoryMiB: 2048 },
      maximum: { cpuUnits: 4096, memoryMiB: 30_720 },
    },
    disk: { default: 20, maximum: 200 },
    architecture: "x86_64",
    capacity: "on-demand",
    vcpu_budget: 6,
    daily_vcpu_minutes: 0,
    official_images_from: "public.ecr.aws/docker/library",
    cache: { type: "default", path: "", shared: false, max_uploaded_archive_size: 0 },
  });
  expect(settings({}).clean_git_config).toBeUndefined();
});

test("an empty YAML file and keys with nothing behind them are empty settings", () => {
  expect(settings(null)).toEqual(defaultSettings());
  expect(settings({ image: null, sizes: { default: null } })).toEqual(defaultSettings());
});

test.each<[string, unknown, object]>([
  ["durations are Go's", { unhealthy_interval: "1h30m" }, { unhealthy_interval: 5400 }],
  ["durations are whole seconds too", { unhealthy_interval: 90 }, { unhealthy_interval: 90 }],
  [
    "waiting for services may be off",
    { wait_for_services_timeout: -1 },
    { wait_for_services_timeout: -1 },
  ],
  [
    "variables are listed as in config.toml",
    { environment: ["A=1", "B=x=y"] },
    { environment: ["A=1", "B=x=y"] },
  ],
  [
    "variables may be a map",
    { environment: { A: 1, B: "x=y" } },
    { environment: ["A=1", "B=x=y"] },
  ],
  ["one pull policy is a list of one", { pull_policy: "never" }, { pull_policy: ["never"] }],
  [
    "cpus and memory are config.toml's names for the default size",
    { cpus: "2", memory: "4g" },
    {
      sizes: {
        default: { cpuUnits: 2048, memoryMiB: 4096 },
        maximum: { cpuUnits: 4096, memoryMiB: 30_720 },
      },
    },
  ],
  [
    "a default above the usual maximum raises the maximum",
    { sizes: { default: { cpu: 8, memory: "32g" } } },
    {
      sizes: {
        default: { cpuUnits: 8192, memoryMiB: 32_768 },
        maximum: { cpuUnits: 8192, memoryMiB: 32_768 },
      },
    },
  ],
  [
    "ulimits have a soft and a hard limit",
    { ulimit: { nofile: "1024:2048", nproc: 64 } },
    {
      ulimit: [
        { name: "nofile", soft: 1024, hard: 2048 },
        { name: "nproc", soft: 64, hard: 64 },
      ],
    },
  ],
  [
    "hosts are read as Docker reads them",
    { extra_hosts: ["sonar:10.0.0.7", "six:[::1]", "me:host-gateway"] },
    {
      extra_hosts: [
        { name: "sonar", address: "10.0.0.7" },
        { name: "six", address: "::1" },
        { name: "me", address: "host-gateway" },
      ],
    },
  ],
  [
    "services have their own fields",
    { services: [{ name: "postgres:16", alias: "db", environment: ["POSTGRES_PASSWORD=x"] }] },
    { services: [{ name: "postgres:16", alias: "db", environment: ["POSTGRES_PASSWORD=x"] }] },
  ],
  [
    "kernel parameters may be numbers",
    { sysctls: { "net.core.somaxconn": 1024 } },
    { sysctls: { "net.core.somaxconn": "1024" } },
  ],
  [
    "keys that ask for nothing pass",
    { privileged: false, shm_size: 0, links: [], tls_verify: false },
    { shm_size: 0 },
  ],
])("%s", (_, input, expected) => {
  expect(settings(input)).toMatchObject(expected);
});

test("a docker config.json is kept as a Secret, whether it is a text or a map", () => {
  const auths = { auths: { "registry.example.com": { auth: "dXNlcjpwYXNz" } } };
  for (const registry_auth of [auths, JSON.stringify(auths)]) {
    const kept = settings({ registry_auth }).registry_auth;
    expect(JSON.parse(kept.reveal())).toEqual(auths);
    expect(JSON.stringify(kept)).not.toContain("dXNlcjpwYXNz");
  }
});

test("the example of the second article is taken, but for what belongs elsewhere", () => {
  const runner = {
    name: "docker-runner",
    url: "https://gitlab.com/",
    token: "glrt-verysecret",
    executor: "docker",
    custom_build_dir: {},
    cache: { s3: {}, gcs: {} },
    tls_verify: false,
    image: "python:alpine",
    privileged: false,
    disable_entrypoint_overwrite: false,
    oom_kill_disable: false,
    disable_cache: false,
    volumes: ["/cache"],
    shm_size: 0,
    pull_policy: "never",
  };
  const answers = complaints(runner);
  expect(answers).toHaveLength(2);
  expect(answers[0]).toContain(`${where}: token: a token does not belong into settings`);
  expect(answers[1]).toContain(`${where}: executor: the executor is chosen by`);
  expect(answers.join("\n")).not.toContain("verysecret");
});

test.each<[string, unknown, string]>([
  ["settings that are no map", ["a"], "expected a map of settings, found a list"],
  [
    "an unknown key, with the nearest known one",
    { imgae: "x" },
    'unknown key "imgae"; did you mean "image"?',
  ],
  ["an unknown key that is like none", { zzzzzzzz: 1 }, 'unknown key "zzzzzzzz"'],
  [
    "an unknown key within",
    { disk: { maximun: 3 } },
    'disk: unknown key "maximun"; did you mean "maximum"?',
  ],
  [
    "a key as config.toml's cache section writes it",
    { cache: { Type: "s3" } },
    'cache: unknown key "Type"; did you mean "type"?',
  ],
  [
    "an unknown key in a list",
    { services: [{ name: "a", envronment: [] }] },
    'services.0: unknown key "envronment"; did you mean "environment"?',
  ],
  [
    "a wrong type",
    { limit: "five" },
    'limit: expected a whole number from 0, found the text "five"',
  ],
  ["a fraction", { limit: 1.5 }, "limit: expected a whole number from 0, found the number 1.5"],
  [
    "too small a number",
    { limit: -1 },
    "limit: expected a whole number from 0, found the number -1",
  ],
  [
    "a number out of range",
    { disk: { default: 500 } },
    "disk.default: expected a whole number from 20 to 200, found the number 500",
  ],
  [
    "a text for true or false",
    { paused: "yes" },
    'paused: expected true or false, found the text "yes"',
  ],
  [
    "a misspelt word",
    { capacity: "sport" },
    'capacity: expected one of "on-demand", "spot", found the text "sport"; did you mean "spot"?',
  ],
  ["a misspelt pull policy", { pull_policy: ["allways"] }, "pull_policy: expected one of"],
  [
    "a duration without a unit",
    { unhealthy_interval: "60" },
    'unhealthy_interval: expected a duration such as "90s" or "1h30m", or a whole number of seconds, found the text "60"',
  ],
  ["a negative duration", { unhealthy_interval: -5 }, "unhealthy_interval: expected a duration"],
  ["a size in words", { memory: "much" }, 'memory: expected a size such as "512m" or "4g"'],
  [
    "a missing name",
    { services: [{ alias: "db" }] },
    "services.0.name: expected the name of an image, found nothing",
  ],
  [
    "a malformed pattern",
    { allowed_images: ["ruby:["] },
    'allowed_images.0: "ruby:[": a [ begins no set',
  ],
  [
    "an address without its scheme",
    { url: "gitlab.com" },
    "url: expected an address beginning with https:// or http://",
  ],
  [
    "an address with a password",
    { url: "https://a:b@gitlab.com" },
    "url: expected an address beginning with https:// or http://, without spaces, user name or password",
  ],
  [
    "a script as a list",
    { pre_build_script: ["echo"] },
    "pre_build_script: expected a text, found a list",
  ],
  ["PowerShell", { shell: "pwsh" }, 'shell: expected "bash" or "sh"'],
  [
    "a feature flag that is none",
    { feature_flags: { TIMESTAMPS: true } },
    "feature_flags.TIMESTAMPS: expected names that begin with FF_",
  ],
  [
    "a label's name",
    { labels: { a: "b" } },
    'labels: label "a": expected a name of 3 to 65 letters',
  ],
  [
    "a rewrite of a beginning to a whole name",
    { image_rewrites: { "docker.io/": "mirror" } },
    'image_rewrites: "docker.io/": either both names end in a slash',
  ],
  [
    "a role that is none",
    { job_roles: [{ project: "a/**", role_arn: "admin" }] },
    "job_roles.0.role_arn: expected the ARN of a role",
  ],
  [
    "a default larger than the maximum",
    { sizes: { default: { cpu: 4 }, maximum: { cpu: 2 } } },
    "sizes.default: 4 vCPU and 2 GB are more than sizes.maximum, 2 vCPU and 30 GB",
  ],
  [
    "more disk by default than allowed",
    { disk: { default: 100, maximum: 50 } },
    "disk.default: 100 GB are more than disk.maximum, 50 GB",
  ],
  [
    "two words for one size",
    { cpus: 1, sizes: { default: { cpu: 2 } } },
    "cpus: says another size than sizes.default.cpu: give one of the two",
  ],
  ["privileged containers", { privileged: true }, "privileged: Fargate has no privileged mode"],
  [
    "the engine's socket",
    { volumes: ["/var/run/docker.sock:/var/run/docker.sock"] },
    "volumes.0: the engine's socket is not given to jobs",
  ],
  [
    "the machine's network",
    { network_mode: "host" },
    'network_mode: the text "host" cannot be had',
  ],
  [
    "the level that config.toml has between",
    { docker: { image: "a" } },
    "docker: the keys of [runners.docker] stand at the top level here",
  ],
  [
    "a name with dashes that belongs elsewhere",
    { "tls-ca-file": "/ca.pem" },
    "tls-ca-file: settings are read on other machines too",
  ],
  [
    "an old name",
    { pre_clone_script: "x" },
    "pre_clone_script: its name has become pre_get_sources_script",
  ],
  [
    "a cache in another cloud",
    { cache: { gcs: { BucketName: "b" } } },
    "cache.gcs: caches are kept in a directory by `burst run` and in the deployment's bucket on AWS",
  ],
  [
    "machines to keep idle",
    { machine: { IdleCount: 5 } },
    "machine: there are no machines to keep idle",
  ],
])(
  "a mistake is answered with where, path, what was found and what is right: %s",
  (_, input, answer) => {
    const answers = complaints(input);
    expect(answers).toHaveLength(1);
    expect(answers[0]).toContain(`${where}: ${answer}`);
  },
);

test("every mistake is told, each on its own line", () => {
  const answers = complaints({ limit: "x", privileged: true, nmae: "a", disk: { default: 1 } });
  expect(answers.map((line) => line.slice(where.length + 2).split(/[: ]/)[0])).toEqual([
    "privileged",
    "limit",
    "disk.default",
    "unknown",
  ]);
});

test.each<[string, unknown]>([
  ["a token", { token: "hunter2" }],
  ["a variable without a name", { environment: ["hunter2"] }],
  ["a variable with an odd name", { environment: { "a b": "hunter2" } }],
  ["a variable of the wrong type", { environment: "hunter2" }],
  ["a variable of a service", { services: [{ name: "a", environment: ["hunter2"] }] }],
  ["a registry login that is no JSON", { registry_auth: "hunter2" }],
  ["a registry login without auths", { registry_auth: { password: "hunter2" } }],
  ["an S3 key", { cache: { s3: { SecretKey: "hunter2" } } }],
  ["a password in the address", { url: "https://u:hunter2@gitlab.com" }],
])("a complaint shows no secret: %s", (_, input) => {
  expect(complaints(input)).toHaveLength(1);
  expect(complaints(input).join("\n")).not.toContain("hunter2");
});

test("the schema can be written as JSON Schema, and every key has its sentence", () => {
  const schema = z.toJSONSchema(settingsSchema, { io: "input" });
  const undescribed = Object.entries(schema.properties ?? {})
    .filter(([, property]) => typeof property === "boolean" || !property.description?.endsWith("."))
    .map(([key]) => key);
  expect(undescribed).toEqual([]);
  expect(Object.keys(schema.properties ?? {}).length).toBeGreaterThan(80);
  expect(schema.additionalProperties).toBe(false);
  expect(schema.properties?.["unhealthy_interval"]).toMatchObject({ default: "60m" });
});
