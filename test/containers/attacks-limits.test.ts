// A job that takes what it can get: processes, the agent's git, and time after its end. Its result stays right, and
// the machine as it was.

import { beforeAll, expect, test } from "vitest";
import { ownerLabel, thisOwner } from "../../src/local/docker/labels.ts";
import { archiveOf } from "../jobs/artifact-content.ts";
import { openContained, settled } from "../harness/containers.ts";

const { run, job, trace, engine, runner } = await openContained({
  head: "",
  settings: { pids_limit: 64 },
});

/** The path is of the agent's container, too: the volume is shared. */
const trap = `
    - mkdir -p bin; cd bin; for name in git sh env; do printf '#!/bin/sh\\n/bin/ls /cache > /builds/sprung\\n' > $name; chmod +x $name; done; cd ..
    - cp bin/git evil.so; echo untracked > u`;

beforeAll(async () => {
  await run(`
default: {image: "python:alpine"}
fork bomb:
  variables: {GIT_STRATEGY: none}
  image: busybox:latest
  script:
    - echo kept > kept
    - (bomb() { bomb | bomb & }; bomb) >/dev/null 2>&1; sleep 1; exit 7
  artifacts: {paths: [kept], when: always}
search path:
  variables: {PATH: "/builds/root/p1/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LD_PRELOAD: "", BASH_ENV: /builds/root/p1/bin/sh}
  script:${trap}
  artifacts: {untracked: true}
git of the script:
  script:
    - printf '#!/bin/sh\\nls /cache > /builds/sprung\\n' > /builds/trap; chmod +x /builds/trap
    - git config core.fsmonitor /builds/trap; git config core.hooksPath /builds; git config core.sshCommand /builds/trap
    - git config filter.x.clean /builds/trap; git config alias.ls-files '!/builds/trap'; git config include.path /proc/1/environ
    - echo "* filter=x" > .gitattributes; echo untracked > u
  artifacts: {untracked: true}
git elsewhere:
  script: [rm -rf .git, ln -s /cache .git, echo untracked > u]
  artifacts: {untracked: true}
goes on writing:
  variables: {GIT_STRATEGY: none}
  image: busybox:latest
  script:
    - (trap "" TERM HUP; while :; do echo late; echo more >> out; sleep 0.01; done) &
    - echo first > out; sleep 0.5; exit 0
  artifacts: {paths: [out]}
`);
});

test("a fork bomb ends at the container's limit of processes; the job fails and its artifacts are kept", async () => {
  expect(job("fork bomb").status).toBe("failed");
  expect(job("fork bomb").failureReason).toBe("script_failure");
  expect(await archiveOf(job("fork bomb"))).toEqual({ kept: "kept\n" });
});

test("a search path of the job's does not choose the agent's git", async () => {
  // The trap prints nothing: had it been run, there would be nothing untracked.
  const files = await archiveOf(job("search path"));
  expect(files["u"]).toBe("untracked\n");
});

test("what a script wrote into the repository's settings is not run by the agent", async () => {
  expect(job("git of the script").status).toBe("success");
  expect(Object.keys(await archiveOf(job("git of the script"))).toSorted()).toEqual([
    ".gitattributes",
    "u",
  ]);
});

test("a repository that leads elsewhere keeps nothing, and says so", () => {
  expect(trace("git elsewhere")).toMatch(/untracked files cannot be listed/);
  expect(job("git elsewhere").artifacts).toEqual([]);
});

test("a job that goes on writing ends when its script ended, and its log with it", async () => {
  expect(job("goes on writing").status).toBe("success");
  expect((await archiveOf(job("goes on writing")))["out"]).toMatch(/^first\n|more\n/);
  const last = job("goes on writing").trace().toString().trimEnd().split("\n").at(-1);
  expect(last).toMatch(/Z 00O[ +].*Job succeeded/);
});

test("nothing of the jobs is left in the engine", async () => {
  await settled(runner);
  const filters = { label: [`${ownerLabel}=${await thisOwner()}`] };
  expect(await engine.listContainers({ all: true, filters })).toEqual([]);
  expect((await engine.listVolumes({ filters })).Volumes).toEqual([]);
});
