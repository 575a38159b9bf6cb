import { expect, test } from "vitest";
import { readReference } from "../../src/core/image-reference.ts";
import type { ContainerExecutor } from "../../src/core/image-unrunnable.ts";
import { collectLogins } from "../../src/core/registry-login.ts";
import { Secret } from "../../src/core/secret.ts";

interface Sources {
  readonly executor?: ContainerExecutor;
  readonly settings?: object;
  readonly variable?: object | string;
  readonly job?: readonly {
    readonly type?: string;
    readonly url: string;
    readonly password: string;
  }[];
}

function collect({ executor = "docker", settings, variable, job = [] }: Sources) {
  return collectLogins({
    executor,
    registryAuth: new Secret(settings === undefined ? "" : JSON.stringify({ auths: settings })),
    dockerAuthConfig:
      variable === undefined || typeof variable === "string"
        ? (variable ?? "")
        : JSON.stringify({ auths: variable }),
    credentials: job.map(({ type = "registry", url, password }) => ({
      type,
      url,
      username: "gitlab-ci-token",
      password: new Secret(password),
    })),
  });
}

function find(image: string, sources: Sources): string {
  const read = readReference(image);
  if (read.kind === "invalid") throw new Error(read.message);
  const login = collect(sources).find(read.reference);
  if (login === undefined) return "none";
  return login.kind === "ecr"
    ? "ecr"
    : `${login.registry} ${login.source} ${login.username}:${login.password.reveal()}`;
}

const base64 = (text: string) => Buffer.from(text).toString("base64");
const auth = (login: string) => ({ auth: base64(login) });

test.each<[string, string, Sources, string]>([
  ["none where nobody knows the registry", "a.io/x", { settings: { "b.io": auth("u:p") } }, "none"],
  ["the settings'", "a.io/x", { settings: { "a.io": auth("u:p") } }, "a.io settings u:p"],
  [
    "the job's variable's",
    "a.io/x",
    { variable: { "a.io": auth("u:p") } },
    "a.io DOCKER_AUTH_CONFIG u:p",
  ],
  [
    "the payload's",
    "reg.gitlab.io/x",
    { job: [{ url: "reg.gitlab.io", password: "t" }] },
    "reg.gitlab.io job gitlab-ci-token:t",
  ],
  [
    "a password that has colons",
    "a.io/x",
    { settings: { "a.io": auth("u:p:q") } },
    "a.io settings u:p:q",
  ],
  [
    "a password beyond ASCII",
    "a.io/x",
    { settings: { "a.io": auth("ü:ß€") } },
    "a.io settings ü:ß€",
  ],
  [
    "a name and a password written out",
    "a.io/x",
    { settings: { "a.io": { username: "u", password: "p" } } },
    "a.io settings u:p",
  ],
  [
    "one written as an address",
    "a.io/x",
    { settings: { "https://a.io/v2/": auth("u:p") } },
    "a.io settings u:p",
  ],
  [
    "one with a port",
    "box:5000/x",
    { settings: { "box:5000": auth("u:p") } },
    "box:5000 settings u:p",
  ],
  ["not one for another port", "box:5001/x", { settings: { "box:5000": auth("u:p") } }, "none"],
  [
    "Docker Hub's by its old address",
    "ruby:3",
    { settings: { "https://index.docker.io/v1/": auth("u:p") } },
    "docker.io settings u:p",
  ],
  [
    "Docker Hub's by its name",
    "bitnami/redis",
    { settings: { "docker.io": auth("u:p") } },
    "docker.io settings u:p",
  ],
  [
    "the one for the longest part of the path",
    "a.io/group/x",
    {
      settings: { "a.io": auth("all:p"), "a.io/group": auth("group:p"), "a.io/gro": auth("no:p") },
    },
    "a.io settings group:p",
  ],
  [
    "not one that is no login",
    "a.io/x",
    { settings: { "a.io": { auth: base64("nothing") } } },
    "none",
  ],
  ["not one that is no base64", "a.io/x", { settings: { "a.io": { auth: "%%%" } } }, "none"],
  ["not one that leaves it to a helper", "a.io/x", { settings: { "a.io": {} } }, "none"],
  [
    "not a payload's of another kind",
    "a.io/x",
    { job: [{ type: "other", url: "a.io", password: "t" }] },
    "none",
  ],
])("the login is %s", (_, image, sources, expected) => {
  expect(find(image, sources)).toBe(expected);
});

const everywhere: Sources = {
  settings: { "a.io": auth("settings:p") },
  variable: { "a.io": auth("variable:p") },
  job: [{ url: "a.io", password: "t" }],
};

test.each<[string, Sources, string]>([
  [
    "on docker the job's variable comes first, as in GitLab Runner",
    everywhere,
    "a.io DOCKER_AUTH_CONFIG variable:p",
  ],
  ["on docker then the runner's", { ...everywhere, variable: "" }, "a.io settings settings:p"],
  [
    "the payload comes last",
    { job: [{ url: "a.io", password: "t" }] },
    "a.io job gitlab-ci-token:t",
  ],
  [
    "on Fargate the runner's standing login comes first",
    { ...everywhere, executor: "fargate" },
    "a.io settings settings:p",
  ],
])("of several logins: %s", (_, sources, expected) => {
  expect(find("a.io/x", sources)).toBe(expected);
});

test("Amazon's own registry is opened by the task's role on Fargate, and by a login elsewhere", () => {
  const image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/x:1";
  const settings = { "123456789012.dkr.ecr.eu-west-1.amazonaws.com": auth("AWS:p") };
  expect(find(image, { executor: "fargate", settings })).toBe("ecr");
  expect(find(image, { executor: "docker", settings })).toContain("settings AWS:p");
  expect(find("public.ecr.aws/docker/library/ruby", { executor: "fargate" })).toBe("none");
});

test.each(["/builds/p.tmp/DOCKER_AUTH_CONFIG", '{"auths": []}', '{"auths": {"a.io"'])(
  "a DOCKER_AUTH_CONFIG that is none is left out with a warning that does not show it: %s",
  (variable) => {
    const { warnings } = collect({ variable });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("DOCKER_AUTH_CONFIG is left out: it is no docker config.json");
    expect(warnings[0]).not.toContain(variable);
  },
);

test("a login does not show when it is printed", () => {
  const read = readReference("a.io/x");
  const login = read.kind === "reference" ? collect(everywhere).find(read.reference) : undefined;
  expect(JSON.stringify(login)).not.toContain("variable:p");
  expect(JSON.stringify(login)).toContain("[masked]");
});
