// Where a job's image comes from: registries of our own with and without passwords and TLS, the logins in GitLab's
// order, pull policies, and what GitLab is told when nothing can be pulled.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Engine } from "../../src/local/docker/engine.ts";
import { bridgeAddress } from "../../src/local/docker/gitlab-route.ts";
import type { JobView, PipelineView } from "../../src/stand-in/views.ts";
import { openContained } from "../harness/containers.ts";
import type { Contained } from "../harness/containers.ts";
import { startMuteServer } from "../harness/mute-server.ts";
import { registryPassword, registryUser, startRegistry } from "../harness/registry.ts";
import type { Registry } from "../harness/registry.ts";

let contained: Contained;
let open: Registry;
let guarded: Registry;
let other: Registry;
let tls: Registry;
let strange: Registry;
let pipeline: PipelineView;

function auths(registry: string, password = registryPassword): string {
  const auth = Buffer.from(`${registryUser}:${password}`).toString("base64");
  return JSON.stringify({ auths: { [registry]: { auth } } });
}

const all = ["always", "if-not-present", "never"];

beforeAll(async () => {
  // `other` is for what the runner's settings know a login for, `guarded` for what jobs know one for.
  [open, guarded, other, tls] = await Promise.all([
    startRegistry(),
    startRegistry({ password: true }),
    startRegistry({ password: true }),
    startRegistry({ tls: true }),
  ]);
  contained = await openContained({
    settings: {
      pull_policy: "always",
      allowed_pull_policies: all,
      registry_auth: auths(other.address),
    },
  });
  const { engine } = contained;
  strange = await startRegistry({ tls: true, listen: (await bridgeAddress(engine))! });
  await open.push(engine, "busybox:latest", "group/tool:1");
  await open.push(engine, "busybox:latest", "group/service:1");
  await guarded.push(engine, "busybox:latest", "team/app:1");
  await other.push(engine, "busybox:latest", "team/app:1");
  await tls.push(engine, "busybox:latest", "a:1");
  await engine.getImage("busybox:latest").tag({ repo: "127.0.0.1:1/kept", tag: "1" });
  await pushHalf(engine);
  pipeline = await contained.run(jobsOf());
});

afterAll(async () => {
  await Promise.all([open, guarded, other, tls, strange].map((registry) => registry?.close()));
  const images = await contained.engine.listImages();
  const ours = images.flatMap(({ RepoTags }) => RepoTags ?? []).filter(isOurs);
  for (const name of ours) await contained.engine.getImage(name).remove({ noprune: true });
});

/** An image that its registry has lost the bytes of, and an older one of the same name in the engine. */
async function pushHalf(engine: Engine): Promise<void> {
  const container = await engine.createContainer({ Image: "busybox:latest" });
  await container.commit({ repo: "half", tag: "1", comment: open.address });
  await container.remove();
  await open.push(engine, "half:1", "group/half:1");
  await engine.getImage("half:1").remove();
  await open.loseBlobs("group/half");
  const repo = `${open.address}/group/half`;
  await engine.getImage("busybox:latest").tag({ repo, tag: "1" });
}

function isOurs(name: string): boolean {
  return (
    [open, guarded, other, tls].some(({ address }) => name.startsWith(address)) ||
    name.startsWith("127.0.0.1:1/")
  );
}

function jobsOf(): string {
  return `
open: {image: "${open.address}/group/tool:1", script: [echo here]}
manifest-unknown: {image: "${open.address}/group/tool:2", script: ["true"]}
name-unknown: {image: "${open.address}/nobody/nothing", script: ["true"]}
no-such-host: {image: "registry.invalid/a:1", script: ["true"]}
refused: {image: "127.0.0.1:1/a:1", script: ["true"]}
strange-certificate: {image: "${strange.address}/a:1", script: ["true"]}
half: {image: "${open.address}/group/half:1", script: ["true"]}
tls: {image: "${tls.address}/a:1", script: [echo here]}
no-login: {image: "${guarded.address}/team/app:1", script: ["true"]}
wrong-login:
  image: ${guarded.address}/team/app:1
  variables: {DOCKER_AUTH_CONFIG: '${auths(guarded.address, "wrong-password")}'}
  script: ["true"]
variable-login:
  image: ${guarded.address}/team/app:1
  variables: {DOCKER_AUTH_CONFIG: '${auths(guarded.address)}'}
  script: [echo here]
settings-login: {image: "${other.address}/team/app:1", script: [echo here]}
variable-before-settings:
  image: ${other.address}/team/app:1
  variables: {DOCKER_AUTH_CONFIG: '${auths(other.address, "wrong-password")}'}
  script: ["true"]
never: {image: {name: "127.0.0.1:1/absent:1", pull_policy: never}, script: ["true"]}
list: {image: {name: "127.0.0.1:1/kept:1", pull_policy: [always, if-not-present]}, script: [echo here]}
local: {image: {name: "127.0.0.1:1/kept:1", pull_policy: [if-not-present]}, script: [echo here]}
service-not-pulled:
  image: {name: busybox, pull_policy: never}
  services: [{name: "${open.address}/group/nothing:1", alias: nothing}]
  script: ["true"]
service-pulled:
  image: {name: busybox, pull_policy: never}
  services: [{name: "${open.address}/group/service:1", alias: something, command: [sleep, "1000"]}]
  script: [grep 127.0.0.1 /etc/hosts]
`;
}

const configuration = "runner_configuration_error";
const elsewhere = "runner_external_dependency_failure";

test.each([
  ["manifest-unknown", configuration, /failed to pull image .*tool:2: .*manifest unknown/],
  ["name-unknown", configuration, /failed to pull image .*nothing: .*(?:not found|unknown)/],
  ["no-such-host", elsewhere, /failed to pull image registry\.invalid.*(?:no such host|dial tcp)/],
  ["refused", elsewhere, /failed to pull image 127\.0\.0\.1:1.*connection refused/],
  ["strange-certificate", "image_pull_failure", /failed to pull image .*x509: certificate/],
  ["no-login", configuration, /failed to pull image .*team\/app:1: .*no basic auth credentials/],
  ["wrong-login", configuration, /failed to pull image .*team\/app:1: .*unauthorized/],
  ["variable-before-settings", configuration, /failed to pull image .*: .*unauthorized/],
  ["never", configuration, /127\.0\.0\.1:1\/absent:1 is not on this machine.*policy is never/],
  ["half", "image_pull_failure", /failed to pull image .*half:1: .*/],
  ["service-not-pulled", configuration, /failed to pull image .*group\/nothing:1: .*/],
])("%s: the pull fails as %s, in words", (name, reason, words) => {
  const job = contained.job(name);
  expect([job.status, job.failureReason]).toEqual(["failed", reason]);
  expect(contained.trace(name)).toMatch(words);
  expect(contained.trace(name)).not.toContain("password");
});

test.each(["open", "tls", "variable-login", "settings-login", "list", "local"])(
  "%s: the image is had and the script runs in it",
  (name) => {
    expect(contained.trace(name)).toContain("\nhere\n");
    expect(contained.job(name).status).toBe("success");
  },
);

test("a service's image is pulled as the job's is", () => {
  expect(contained.job("service-pulled").status).toBe("success");
  expect(contained.trace("service-pulled")).toContain(
    "127.0.0.1\t127.0.0.1__group__service\n127.0.0.1\t127.0.0.1-group-service\n127.0.0.1\tsomething\n",
  );
});

test("a pull is told with the image's id and the time it took", () => {
  expect(contained.trace("open")).toMatch(
    /Pulling docker image \S+tool:1 \.\.\.\nUsing docker image sha256:\w{12} for \S+tool:1, pulled in \d+\.\d s\n/,
  );
  expect(open.log()).toContain("/v2/group/tool/manifests/1");
});

test("of several pull policies the next is tried when one fails, and told", () => {
  const trace = contained.trace("list");
  expect(trace).toContain("Pulling docker image 127.0.0.1:1/kept:1");
  expect(trace).toContain("Trying the next pull policy for 127.0.0.1:1/kept:1: if-not-present");
  expect(trace).toMatch(/Using locally found image \S+ \(sha256:\w+\) due to if-not-present/);
  expect(contained.trace("local")).not.toContain("Pulling");
});

test("no job ran that should not have, and none twice", () => {
  expect(pipeline.jobs).toHaveLength(18);
  expect(contained.runner.diagnostics.filter((text) => /were left behind/.test(text))).toEqual([]);
});

function credentials(registry: string, password: string) {
  return [{ type: "registry", url: registry, username: registryUser, password }];
}

function image(name: string) {
  return { name, entrypoint: null, ports: [] as const, executor_opts: {}, pull_policy: [] };
}

async function withPayload(registry: Registry, password: string): Promise<JobView> {
  return await contained.enqueue({
    image: image(`${registry.address}/team/app:1`),
    script: ["true"],
    payload: { credentials: credentials(registry.address, password) },
  });
}

test("the payload's credentials are used where nothing else knows the registry, and after the settings'", async () => {
  expect((await withPayload(guarded, registryPassword)).status).toBe("success");
  expect((await withPayload(guarded, "wrong")).failureReason).toBe(configuration);
  expect((await withPayload(other, "wrong")).status).toBe("success");
});

test("the settings decide which images, services and pull policies a job may use, and what it gets without one", async () => {
  const strict = await openContained({
    settings: {
      image: "busybox",
      allowed_images: ["python:*", "debian-plain"],
      allowed_services: ["redis:*"],
    },
  });
  await strict.run(`
usual: {script: [echo here]}
not-allowed: {image: ubuntu-opencv, script: ["true"]}
service-not-allowed: {services: ["postgres:15"], script: ["true"]}
policy-not-allowed: {image: {name: busybox, pull_policy: always}, script: ["true"]}
`);
  expect(strict.trace("usual")).toContain("Using locally found image busybox ");
  expect(strict.job("usual").status).toBe("success");
  for (const [name, words] of [
    ["not-allowed", "The image ubuntu-opencv is not one that this runner allows"],
    ["service-not-allowed", "The service postgres:15 is not one that this runner allows: redis:*"],
    [
      "policy-not-allowed",
      "pull_policy always of the image busybox is not one that this runner allows",
    ],
  ] as const) {
    expect(strict.job(name).failureReason).toBe(configuration);
    expect(strict.trace(name)).toContain(words);
  }
});

test("a registry that hangs is waited for as long as prepare_timeout says", async () => {
  const mute = await startMuteServer();
  try {
    const late = await openContained({ settings: { prepare_timeout: 5 } });
    await late.run(`job: {image: "${mute.address}/a:1", script: ["true"]}\n`);
    const { status, failureReason } = late.job("job");
    expect([status, failureReason]).toEqual(["failed", "job_execution_timeout"]);
    expect(late.trace("job")).toContain("were not ready within 5 s (prepare_timeout");
  } finally {
    await mute.close();
  }
});
