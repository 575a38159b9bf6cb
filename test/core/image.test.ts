import { expect, test } from "vitest";
import { planImage, planJobImage, unknownOptions } from "../../src/core/image.ts";
import type { ImageWish, PlannedImage } from "../../src/core/image.ts";
import type { ContainerExecutor } from "../../src/core/image-unrunnable.ts";
import type { Refusal } from "../../src/core/refusal.ts";
import { settingsOf, variablesOf } from "./plan-case.ts";

interface Case {
  readonly wish?: Partial<ImageWish>;
  readonly settings?: object;
  readonly variables?: Record<string, string>;
  readonly executor?: ContainerExecutor;
}

function context({ settings = {}, variables = {}, executor = "docker" }: Case) {
  return { executor, settings: settingsOf(settings), expand: variablesOf(variables).expand };
}

function plan(given: Case) {
  return planJobImage({ name: "", pull_policy: [], ...given.wish }, context(given));
}

function planned(outcome: PlannedImage | Refusal): PlannedImage {
  if (outcome.kind === "refusal") throw new Error(outcome.message);
  return outcome;
}

const digest = `sha256:${"0123456789abcdef".repeat(4)}`;

test.each<[string, Case, string]>([
  ["the job's image", { wish: { name: "ruby:3" }, settings: { image: "alpine" } }, "ruby:3"],
  ["the settings' image where the job names none", { settings: { image: "alpine" } }, "alpine"],
  [
    "variables are put into the job's image",
    { wish: { name: "ruby:$V" }, variables: { V: "3" } },
    "ruby:3",
  ],
  [
    "variables are put into the settings' image",
    { settings: { image: "ruby:${V}" }, variables: { V: "3" } },
    "ruby:3",
  ],
  [
    "an allowed image",
    { wish: { name: "ruby:3" }, settings: { allowed_images: ["ruby:*"] } },
    "ruby:3",
  ],
  [
    "the settings' own image, allowed or not",
    { wish: { name: "alpine" }, settings: { image: "alpine", allowed_images: ["ruby:*"] } },
    "alpine",
  ],
  [
    "the settings' own image where the job names none, allowed or not",
    { settings: { image: "alpine", allowed_images: ["ruby:*"] } },
    "alpine",
  ],
])("the image is %s", (_, given, expected) => {
  expect(planned(plan(given)).image.name).toBe(expected);
});

test.each<[string, Case, string]>([
  [
    "an official image comes from AWS's copy",
    { wish: { name: "python:alpine" } },
    "public.ecr.aws/docker/library/python:alpine",
  ],
  [
    "so does one that is written out",
    { wish: { name: "docker.io/library/python" } },
    "public.ecr.aws/docker/library/python",
  ],
  [
    "so does one with a digest",
    { wish: { name: `python@${digest}` } },
    `public.ecr.aws/docker/library/python@${digest}`,
  ],
  ["another image stays", { wish: { name: "ghcr.io/a/b:1" } }, "ghcr.io/a/b:1"],
  ["somebody's image on Docker Hub stays", { wish: { name: "bitnami/redis" } }, "bitnami/redis"],
  [
    "AWS's copy can be switched off",
    { wish: { name: "python" }, settings: { official_images_from: "" } },
    "python",
  ],
  [
    "a full name is rewritten before all else",
    {
      wish: { name: "ubuntu-opencv:latest" },
      settings: {
        image_rewrites: { "ubuntu-opencv:latest": "1.dkr.ecr.eu-west-1.amazonaws.com/cv:2" },
      },
    },
    "1.dkr.ecr.eu-west-1.amazonaws.com/cv:2",
  ],
  [
    "a name without tag is its latest, in rewriting too",
    {
      wish: { name: "ubuntu-opencv" },
      settings: { image_rewrites: { "ubuntu-opencv:latest": "a.io/cv" } },
    },
    "a.io/cv",
  ],
  [
    "another tag is another image",
    { wish: { name: "a.io/cv:2" }, settings: { image_rewrites: { "a.io/cv": "b.io/cv" } } },
    "a.io/cv:2",
  ],
  [
    "a beginning is rewritten, the longest first",
    {
      wish: { name: "a.io/x/y:1" },
      settings: { image_rewrites: { "a.io/": "b.io/", "a.io/x/": "c.io/z/" } },
    },
    "c.io/z/y:1",
  ],
])("on Fargate %s", (_, given, expected) => {
  const image = planned(plan({ ...given, executor: "fargate" }));
  expect(image.image.name).toBe(expected);
  expect(image.requested.name).toBe(given.wish?.name);
});

test("on docker nothing is rewritten: images made on the machine have such names", () => {
  const settings = { image_rewrites: { "ubuntu-opencv": "a.io/cv" } };
  expect(planned(plan({ wish: { name: "ubuntu-opencv" }, settings })).image.name).toBe(
    "ubuntu-opencv",
  );
});

test.each<[string, Case, readonly string[] | undefined]>([
  ["is the image's own where the job says nothing", {}, undefined],
  ["is the image's own where the job's is empty", { wish: { entrypoint: [] } }, undefined],
  ["is none where the job's is an empty text", { wish: { entrypoint: [""] } }, []],
  ["is the job's where it has one", { wish: { entrypoint: ["/e", "-x"] } }, ["/e", "-x"]],
])("the entrypoint %s", (_, given, expected) => {
  const image = planned(plan({ ...given, settings: { image: "alpine" } }));
  expect(image.entrypoint).toEqual(expected);
  expect(image.warnings).toEqual([]);
});

test("an entrypoint is not replaced where the settings forbid it, and that is said", () => {
  const settings = { image: "alpine", disable_entrypoint_overwrite: true };
  const image = planned(plan({ wish: { entrypoint: ["/e"] }, settings }));
  expect(image.entrypoint).toBeUndefined();
  expect(image.warnings).toEqual([
    "The entrypoint is not replaced: the runner's settings do not allow it",
  ]);
});

const asUser = (user: string) => ({ executor_opts: { docker: { user, platform: "" } } });

test.each<[string, Case, string]>([
  ["is the image's own where nobody says", {}, ""],
  ["is the job's", { wish: asUser("1000:1000") }, "1000:1000"],
  ["may be a variable", { wish: asUser("$WHO"), variables: { WHO: "dev" } }, "dev"],
  [
    "is the settings' before the job's",
    { wish: asUser("dev"), settings: { user: "nobody" } },
    "nobody",
  ],
  [
    "is the job's where it is allowed",
    { wish: asUser("dev"), settings: { allowed_users: ["dev"] } },
    "dev",
  ],
  ["is the image's own even where users are listed", { settings: { allowed_users: ["dev"] } }, ""],
])("the user %s", (_, given, expected) => {
  const settings = { image: "alpine", ...given.settings };
  expect(planned(plan({ ...given, settings })).user).toBe(expected);
});

test("a service runs as it says, not as the settings' user", () => {
  const wish = { name: "redis", pull_policy: [], ...asUser("redis") };
  expect(planned(planImage(wish, "service", context({ settings: { user: "nobody" } }))).user).toBe(
    "redis",
  );
});

test.each<[string, Case, readonly string[]]>([
  ["always, without anything said", {}, ["always"]],
  ["the settings'", { settings: { pull_policy: "never" } }, ["never"]],
  [
    "the settings' in their order",
    { settings: { pull_policy: ["never", "always"] } },
    ["never", "always"],
  ],
  [
    "the job's where the settings allow it",
    { wish: { pull_policy: ["never"] }, settings: { allowed_pull_policies: ["always", "never"] } },
    ["never"],
  ],
  [
    "what of the job's list the settings allow",
    {
      wish: { pull_policy: ["if-not-present", "never", "always"] },
      settings: { allowed_pull_policies: ["always", "if-not-present"] },
    },
    ["if-not-present", "always"],
  ],
  [
    "the job's within the settings' own, where none are listed as allowed",
    { wish: { pull_policy: ["always", "never"] }, settings: { pull_policy: ["never"] } },
    ["never"],
  ],
  [
    "what of the settings' they allow themselves",
    { settings: { pull_policy: ["always", "never"], allowed_pull_policies: ["never"] } },
    ["never"],
  ],
])("the pull policies are %s", (_, given, expected) => {
  const settings = { image: "alpine", ...given.settings };
  expect(planned(plan({ ...given, settings })).pullPolicies).toEqual(expected);
});

test.each<[string, Case, string]>([
  ["no image anywhere", {}, "The job names no image, and its runner has none for such jobs"],
  [
    "an image that is not allowed",
    { wish: { name: "php:8" }, settings: { allowed_images: ["ruby:*", "python:*"] } },
    "The image php:8 is not one that this runner allows: ruby:*, python:*. Use one of those",
  ],
  [
    "a name that a pattern only seems to cover",
    { wish: { name: "evil.io/ruby:3" }, settings: { allowed_images: ["ruby:*"] } },
    "The image evil.io/ruby:3 is not one that this runner allows",
  ],
  [
    "a variable that allows itself in",
    { wish: { name: "$I" }, variables: { I: "php:8" }, settings: { allowed_images: ["$I"] } },
    "The image php:8 is not one that this runner allows",
  ],
  [
    "a name that is none",
    { wish: { name: "ruby:$VERSION" } },
    'The image "ruby:" cannot be the name of an image: "" is no tag. Right would be, for example, ruby:3.3',
  ],
  [
    "a variable that is empty",
    { wish: { name: "$NOPE" } },
    'The image "" cannot be the name of an image: it has no name',
  ],
  [
    "a pull policy that is not allowed",
    { wish: { name: "ruby", pull_policy: ["never"] } },
    "pull_policy never of the image ruby is not one that this runner allows: always",
  ],
  [
    "settings that allow none of their own pull policies",
    {
      wish: { name: "ruby" },
      settings: { pull_policy: "never", allowed_pull_policies: ["always"] },
    },
    "pull_policy never of the runner's settings is not one that this runner allows: always",
  ],
  [
    "a user that is not allowed",
    { wish: { name: "ruby", ...asUser("root") }, settings: { allowed_users: ["dev", "ci"] } },
    'The user "root" of the image ruby is not one that this runner allows: dev, ci',
  ],
  [
    "an image for Windows",
    { wish: { name: "mcr.microsoft.com/windows/servercore:ltsc2022" } },
    "The image mcr.microsoft.com/windows/servercore:ltsc2022 is made for Windows, and jobs run on Linux",
  ],
  [
    "an image that its tag says is for Windows",
    { wish: { name: "golang:1.24-nanoserver" }, executor: "fargate" },
    "The image golang:1.24-nanoserver is made for Windows",
  ],
  [
    "an image of the .NET Framework",
    { wish: { name: "mcr.microsoft.com/dotnet/framework/sdk:4.8" }, executor: "fargate" },
    "The image mcr.microsoft.com/dotnet/framework/sdk:4.8 is made for Windows",
  ],
  [
    "a name too long for ECS",
    { wish: { name: `a.io/${"a".repeat(251)}:1` }, executor: "fargate" },
    "has a name of 258 characters, and ECS takes 255",
  ],
  [
    "a name too long once it is rewritten",
    { wish: { name: "a".repeat(240) }, executor: "fargate" },
    "has a name of 270 characters, and ECS takes 255",
  ],
])("refused as a mistake of configuration: %s", (_, given, message) => {
  const outcome = plan(given);
  expect(outcome).toMatchObject({ kind: "refusal", reason: "runner_configuration_error" });
  expect(outcome.kind === "refusal" && outcome.message).toContain(message);
});

test.each<[string, Case]>([
  ["on docker a long name is taken", { wish: { name: `a.io/${"a".repeat(251)}:1` } }],
  [
    "a digest does not count against the length",
    { wish: { name: `a.io/${"a".repeat(230)}@${digest}` }, executor: "fargate" },
  ],
  [
    "255 characters are not too many",
    { wish: { name: `a.io/${"a".repeat(248)}:1` }, executor: "fargate" },
  ],
  [
    "a rewriting may shorten a name",
    {
      wish: { name: `a.io/${"a".repeat(260)}` },
      settings: { image_rewrites: { [`a.io/${"a".repeat(260)}`]: "b.io/a" } },
      executor: "fargate",
    },
  ],
])("%s", (_, given) => {
  expect(plan(given).kind).toBe("image");
});

test("a platform that the job asks for is kept", () => {
  const executor_opts = { docker: { platform: "linux/$A", user: "" } };
  const image = planned(plan({ wish: { name: "ruby", executor_opts }, variables: { A: "arm64" } }));
  expect(image.platform).toBe("linux/arm64");
});

test.each<[string, object | null | undefined, string | undefined]>([
  ["none at all", undefined, undefined],
  ["null", null, undefined],
  ["docker's", { docker: { platform: "linux/amd64", user: "1" } }, undefined],
  ["Kubernetes'", { kubernetes: { user: "1" } }, undefined],
  ["an unknown one of docker", { docker: { usr: "1" } }, "docker:usr; known are platform and user"],
  [
    "an unknown one of Kubernetes",
    { kubernetes: { platform: "a" } },
    "kubernetes:platform; known are user",
  ],
  ["those of an unknown executor", { podman: {} }, "podman; known are docker and kubernetes"],
])("executor options are checked by name: %s", (_, options, complaint) => {
  expect(unknownOptions(options)).toBe(complaint);
});

test("an unknown executor option fails the job with exit code 3, as GitLab Runner does", () => {
  const executor_opts = { docker: { platform: "", user: "", privileged: true } };
  expect(plan({ wish: { name: "ruby", executor_opts } })).toEqual({
    kind: "refusal",
    reason: "runner_system_failure",
    exitCode: 3,
    message:
      "The image has options that are not known: docker:privileged; known are platform and user",
  });
});

test.each<[string, Case, string]>([
  [
    "never pulling, on Fargate",
    { wish: { name: "ruby" }, settings: { pull_policy: "never" }, executor: "fargate" },
    'The pull policy "never" means nothing on Fargate',
  ],
  [
    "builders that need user namespaces, on Fargate",
    { wish: { name: "quay.io/buildah/stable" }, executor: "fargate" },
    "which Fargate does not allow: it will probably fail",
  ],
  [
    "Docker's image with a daemon",
    { wish: { name: "docker:28-dind" } },
    "docker:28-dind can start no daemon here",
  ],
  [
    "images for GPUs, on Fargate",
    { wish: { name: "nvcr.io/nvidia/pytorch:26.01-py3" }, executor: "fargate" },
    "is made for GPUs, and Fargate has none",
  ],
])("a warning is given for what will probably not do as meant: %s", (_, given, message) => {
  const { warnings } = planned(plan(given));
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain(message);
});
