// A job plants links where its agent reads and writes after the script: in the project's place, beside it, within it,
// and swapped while the agent packs.

import { beforeAll, expect, test } from "vitest";
import { archiveOf } from "../jobs/artifact-content.ts";
import { openContained } from "../harness/containers.ts";

const { run, job, trace, enqueue } = await openContained({ head: "" });

const pipeline = `
default: {image: "busybox:latest"}
variables: {GIT_STRATEGY: none}
secrets of the project:
  stage: build
  script: [mkdir kept, echo what-was-cached > kept/file]
  cache: {key: mine, paths: [kept/]}

root as project:
  script: [cd /, rm -rf $CI_PROJECT_DIR, ln -s / $CI_PROJECT_DIR]
  artifacts: {paths: [etc/hostname, proc/self/environ, burst/, cache/]}
cache as project:
  script: [cd /, rm -rf $CI_PROJECT_DIR, ln -s /cache $CI_PROJECT_DIR]
  artifacts: {paths: [./, "**/*"]}
  cache: {key: stolen, paths: ["**/*"], policy: push}
links within:
  script:
    - ln -s / out; ln -s /etc/hostname name; ln -s /cache caches; ln -s /proc/self/environ environ
    - ln -s out/etc deeper; mkdir real; echo mine > real/file
  artifacts: {paths: [out/etc/hostname, out/, name, caches/, caches/**/*, environ, deeper/, deeper/hostname, real/]}
  cache: {key: stolen, paths: [caches/**/*, out/etc/]}
reports through links:
  script: [ln -s /etc/hostname report.xml, ln -s /proc/1/environ x.env]
  artifacts: {reports: {junit: report.xml, dotenv: x.env}}
hard links:
  script: [echo mine > mine, ln mine again, "! ln /etc/hostname theirs", "! ln /burst/control/cmd pipe"]
  artifacts: {paths: [again, theirs, pipe]}
devices and pipes:
  script: [mkfifo pipe, mknod zero c 1 5, mknod disk b 8 0, echo mine > mine, chmod 6755 mine]
  artifacts: {paths: [./]}
swapped while packed:
  script:
    - mkdir real theirs; for i in $(seq 300); do echo mine > real/f$i; done; ln -s /etc theirs/hostname
    - echo mine > real/hostname
    - (while :; do mv real was; ln -s /etc real; rm real; mv was real; done) >/dev/null 2>&1 &
  artifacts: {paths: [real/]}
temporary folder:
  script: [rm -rf $CI_PROJECT_DIR.tmp, ln -s / $CI_PROJECT_DIR.tmp]
  after_script: [ls -l $CI_PROJECT_DIR.tmp/]
`;

beforeAll(async () => {
  await run(pipeline);
});

test.each(["root as project", "cache as project"])(
  "%s: the agent does not take what the link leads to for the project",
  (name) => {
    expect(job(name)).toMatchObject({ status: "failed", artifacts: [] });
    expect(trace(name)).toMatch(/is not the project's folder any more/);
  },
);

test("links within the project are kept as links, and nothing is read through them", async () => {
  const files = await archiveOf(job("links within"));
  expect(files).toEqual({
    caches: "/cache",
    deeper: "out/etc",
    environ: "/proc/self/environ",
    name: "/etc/hostname",
    out: "/",
    "real/": "",
    "real/file": "mine\n",
  });
});

test("a report that is a link is none", () => {
  expect(job("reports through links").artifacts).toEqual([]);
});

test("a hard link reaches no further than the job's own volume", async () => {
  expect(job("hard links").status).toBe("success");
  expect(await archiveOf(job("hard links"))).toEqual({ again: "mine\n" });
});

test("devices and pipes are left out, and nobody waits for them", async () => {
  expect(Object.keys(await archiveOf(job("devices and pipes"))).toSorted()).toEqual(["mine"]);
  expect(trace("devices and pipes")).toContain("pipe: a FIFO, a socket or a device");
});

test("folders swapped for links while they are packed give the job's own files or none", async () => {
  const attacked = job("swapped while packed");
  const files = attacked.artifacts.length === 0 ? {} : await archiveOf(attacked);
  for (const [name, content] of Object.entries(files)) {
    if (!name.endsWith("/") && name !== "real") expect([name, content]).toEqual([name, "mine\n"]);
  }
});

test("a temporary folder that leads elsewhere is made anew", () => {
  expect(job("temporary folder").status).toBe("success");
  expect(trace("temporary folder")).not.toMatch(/\bbin\b/);
});

test("a namespace's folder that leads to the agent's root makes no project of its caches", async () => {
  const stolen = await enqueue({
    name: "parent",
    script: [
      "cd /",
      "mv /builds/root /builds/was",
      "ln -s / /builds/root",
      "mkdir /cache",
      "ls -d $CI_PROJECT_DIR",
    ],
    variables: { GIT_STRATEGY: "none", GIT_CLONE_PATH: "/builds/root/cache" },
    payload: { image: { name: "busybox:latest" } },
    artifacts: [{ paths: ["**/*", "./"] }],
  });
  expect(trace("parent")).toContain("\n/builds/root/cache\n");
  expect(trace("parent")).toMatch(/is not the project's folder any more: root is a link/);
  expect(stolen).toMatchObject({ status: "failed", artifacts: [] });
});
