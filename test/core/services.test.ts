import { expect, test } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import { planServices, portsToProbe, serviceEnvironment } from "../../src/core/services.ts";
import { jobOf, settingsOf, variablesOf } from "./plan-case.ts";

interface Case {
  readonly services?: readonly object[];
  readonly settings?: object;
  readonly variables?: Record<string, string>;
  readonly payload?: readonly object[];
}

function plan({ services = [], settings = {}, variables = {}, payload = [] }: Case) {
  const job = jobOf({ services, variables: payload });
  const context = {
    executor: "docker",
    settings: settingsOf(settings),
    ...variablesOf(variables),
  } as const;
  return planServices(job, context);
}

function planned(given: Case) {
  const outcome = plan(given);
  if (outcome.kind === "refusal") throw new Error(outcome.message);
  return outcome;
}

function names(given: Case) {
  return planned(given).services.map((service) => [
    service.planned.image.name,
    ...service.hostnames,
  ]);
}

test.each<[string, Case, readonly (readonly string[])[]]>([
  ["its image", { services: [{ name: "postgres:16" }] }, [["postgres:16", "postgres"]]],
  [
    "its image's path, with __ and - for slashes",
    { services: [{ name: "a.io:5000/db/pg:16" }] },
    [["a.io:5000/db/pg:16", "a.io__db__pg", "a.io-db-pg"]],
  ],
  [
    "its aliases, separated by spaces or commas",
    { services: [{ name: "postgres:16", alias: "db, pg  main,sql" }] },
    [["postgres:16", "postgres", "db", "pg", "main", "sql"]],
  ],
  [
    "each name once",
    { services: [{ name: "postgres:16", alias: "postgres postgres db" }] },
    [["postgres:16", "postgres", "db"]],
  ],
  [
    "names with variables put in",
    { services: [{ name: "$DB:16", alias: "$DB-main" }], variables: { DB: "postgres" } },
    [["postgres:16", "postgres", "postgres-main"]],
  ],
])("a service is known by %s", (_, given, expected) => {
  expect(names(given)).toEqual(expected);
  expect(planned(given).warnings).toEqual([]);
});

test("the settings' services come first and keep their names", () => {
  const given = {
    settings: { services: [{ name: "redis:7", alias: "cache" }] },
    services: [{ name: "redis:6", alias: "cache old" }],
  };
  expect(names(given)).toEqual([
    ["redis:7", "redis", "cache"],
    ["redis:6", "old"],
  ]);
  expect(planned(given).warnings).toEqual([
    "Service redis:6: the name redis belongs to an earlier service; the name is left out",
    "Service redis:6: the name cache belongs to an earlier service; the name is left out",
  ]);
});

test("a service without any name left is not started, and that is said", () => {
  const given = { services: [{ name: "postgres:16" }, { name: "postgres:15" }] };
  expect(names(given)).toEqual([["postgres:16", "postgres"]]);
  expect(planned(given).warnings.at(-1)).toBe(
    "Service postgres:15 is not started: no name is left for it. Give it an alias",
  );
});

test("an alias that cannot be a host's name is left out, and that is said", () => {
  const given = { services: [{ name: "postgres:16", alias: "-x db#1 ok" }] };
  expect(names(given)).toEqual([["postgres:16", "postgres", "ok"]]);
  expect(planned(given).warnings).toEqual([
    'Service postgres:16: "-x" cannot be a host\'s name; the name is left out',
    'Service postgres:16: "db#1" cannot be a host\'s name; the name is left out',
  ]);
});

test("a service keeps its own entrypoint, command and user", () => {
  const service = {
    name: "redis:7",
    entrypoint: ["/e"],
    command: ["redis-server", "--save"],
    executor_opts: { docker: { user: 999 } },
    pull_policy: ["if-not-present"],
  };
  const settings = { allowed_pull_policies: ["if-not-present"] };
  const [only] = planned({ services: [service], settings }).services;
  expect(only?.command).toEqual(["redis-server", "--save"]);
  expect(only?.planned).toMatchObject({
    entrypoint: ["/e"],
    user: "999",
    pullPolicies: ["if-not-present"],
  });
});

test.each<[string, Case, string]>([
  [
    "a service that is not allowed",
    { services: [{ name: "mysql:8" }], settings: { allowed_services: ["postgres:*"] } },
    "The service mysql:8 is not one that this runner allows: postgres:*. Use one of those, or have allowed_services",
  ],
  [
    "more services than allowed, the settings' counted",
    {
      services: [{ name: "redis" }, { name: "mysql" }],
      settings: { services: [{ name: "postgres" }], services_limit: 2 },
    },
    "The job asks for more services (3) than this runner allows (2)",
  ],
  [
    "any service where none is allowed",
    { services: [{ name: "redis" }], settings: { services_limit: 0 } },
    "The job asks for more services (1) than this runner allows (0)",
  ],
  [
    "Docker in Docker",
    { services: [{ name: "docker:28.1-dind-rootless" }] },
    "The service docker:28.1-dind-rootless needs privileged mode",
  ],
  [
    "Docker in Docker in an image of somebody's own",
    { services: [{ name: "registry.example.com/ci/docker-dind:28" }] },
    "The service registry.example.com/ci/docker-dind:28 needs privileged mode",
  ],
  [
    "a name that is none",
    { services: [{ name: "Redis:7" }] },
    'The service "Redis:7" cannot be the name of an image',
  ],
])("refused: %s", (_, given, message) => {
  const outcome = plan(given);
  expect(outcome).toMatchObject({ kind: "refusal", reason: "runner_configuration_error" });
  expect(outcome.kind === "refusal" && outcome.message).toContain(message);
});

test("images of the settings' services are allowed to the job's too", () => {
  const settings = {
    services: [{ name: "redis:7", alias: "first" }],
    allowed_services: ["postgres:*"],
  };
  expect(plan({ services: [{ name: "redis:7", alias: "second" }], settings }).kind).toBe(
    "services",
  );
});

function environmentOf(given: Case) {
  const [service] = planned(given).services;
  return Object.fromEntries(
    (service?.environment ?? []).map(({ name, value }) => [name, value.reveal()]),
  );
}

test("a service gets public variables, the runner's own and its own, and nothing else of the job", () => {
  const variables = {
    CI_PROJECT_NAME: "p",
    PASSWORD: "secret",
    CI_PROJECT_DIR: "/builds/p",
    FROM_SETTINGS: "s",
    DOCKER_AUTH_CONFIG: "login",
  };
  const payload = [
    { key: "CI_PROJECT_NAME", value: "p", public: true },
    { key: "PASSWORD", value: "secret", masked: true },
  ];
  const settings = { environment: ["FROM_SETTINGS=s", "DOCKER_AUTH_CONFIG=login"] };
  const services = [{ name: "redis", variables: [{ key: "OWN", value: "o" }] }];
  expect(environmentOf({ services, variables, payload, settings })).toEqual({
    CI_PROJECT_DIR: "/builds/p",
    CI_PROJECT_NAME: "p",
    FROM_SETTINGS: "s",
    OWN: "o",
  });
});

test("a service of the settings gets the variables they list", () => {
  const settings = { services: [{ name: "redis", environment: { MODE: "$WHICH" } }] };
  expect(environmentOf({ settings, variables: { WHICH: "fast" } })).toEqual({ MODE: "fast" });
});

const job: Record<string, string> = { SECRET: "s3cret", USER: "ci", NAME: "job" };

test.each<
  [string, readonly (readonly [key: string, value: string, raw?: boolean])[], string, string]
>([
  ["may name a variable of the job, public or not", [["A", "x-$SECRET"]], "A", "x-s3cret"],
  [
    "may name another of the service",
    [
      ["NAME", "svc"],
      ["A", "$NAME"],
    ],
    "A",
    "svc",
  ],
  [
    "names another of the service before the job's",
    [
      ["A", "$USER"],
      ["USER", "own"],
    ],
    "A",
    "own",
  ],
  ["may add to the job's of the same name", [["NAME", "${NAME}-2"]], "NAME", "job-2"],
  [
    "is put in once only",
    [
      ["NAME", "$USER"],
      ["A", "$NAME"],
    ],
    "A",
    "$USER",
  ],
  ["stays as it is where it is raw", [["A", "$SECRET", true]], "A", "$SECRET"],
  ["has a dollar for two", [["A", "$$SECRET"]], "A", "$SECRET"],
  [
    "of one name counts the last time",
    [
      ["A", "1"],
      ["A", "2"],
    ],
    "A",
    "2",
  ],
])("a service's variable %s", (_, own, name, expected) => {
  const variables = own.map(([key, value, raw = false]) => ({
    key,
    value: new Secret(value),
    raw,
  }));
  const entries = serviceEnvironment(variables, new Map(), (key) => job[key] ?? "");
  expect(entries.find((entry) => entry.name === name)?.value.reveal()).toBe(expected);
});

test("values of a service's variables do not show when they are printed", () => {
  const [entry] = serviceEnvironment(
    [{ key: "P", value: new Secret("hunter2"), raw: true }],
    new Map(),
    () => "",
  );
  expect(JSON.stringify(entry)).not.toContain("hunter2");
});

type Pairs = readonly (readonly [string, string])[];

test.each<[string, Pairs, readonly string[], readonly number[]]>([
  ["those its image exposes, ascending", [], ["6380/tcp", "6379/tcp"], [6379, 6380]],
  ["TCP without saying so", [], ["80"], [80]],
  ["no UDP", [], ["53/udp", "53/tcp"], [53]],
  ["ranges", [], ["8000-8002/tcp"], [8000, 8001, 8002]],
  [
    "the 20 lowest",
    [],
    ["9000/tcp", "1000-2000/tcp"],
    Array.from({ length: 20 }, (_, i) => 1000 + i),
  ],
  [
    "the one that HEALTHCHECK_TCP_PORT names",
    [["HEALTHCHECK_TCP_PORT", "8080"]],
    ["80/tcp"],
    [8080],
  ],
  ["the same in whatever case it is written", [["healthcheck_tcp_port", "8080"]], [], [8080]],
  [
    "the last one named, which is the job's",
    [
      ["HEALTHCHECK_TCP_PORT", "1"],
      ["HEALTHCHECK_TCP_PORT", "2"],
    ],
    [],
    [2],
  ],
  ["none where nothing is exposed", [["OTHER", "1"]], [], []],
])("the ports that say that a service is up: %s", (_, environment, exposed, ports) => {
  expect(portsToProbe(environment, exposed)).toEqual({ kind: "ports", ports });
});

test.each(["", "http", "0", "70000", "80 "])(
  "HEALTHCHECK_TCP_PORT %j is answered as no port",
  (text) => {
    const probe = portsToProbe([["HEALTHCHECK_TCP_PORT", text]], ["80/tcp"]);
    expect(probe).toMatchObject({ kind: "invalid" });
  },
);
