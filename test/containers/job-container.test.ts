// A job's own container: users, shells, entrypoints; what of the runner's settings arrives in it; and the end of a job
// that needs more memory than it has.

import { beforeAll, expect, test } from "vitest";
import { openContained } from "../harness/containers.ts";
import type { Contained } from "../harness/containers.ts";

let plain: Contained;
let set: Contained;

beforeAll(async () => {
  plain = await openContained();
  set = await openContained({ settings });
  await Promise.all([plain.run(kinds), set.run(limits)]);
});

const kinds = `
nonroot: {image: debian-nonroot, script: [id -u, touch here, ls here]}
chosen-user: {image: {name: debian-plain, docker: {user: "4711:4712"}}, script: ['id -u; id -g', touch here]}
no-such-user: {image: {name: busybox, docker: {user: nobody-knows}}, script: ["true"]}
bash: {image: debian-bash, script: ['echo "\${BASH_VERSION:-none}"', '[[ a == a ]]']}
no-bash: {image: debian-plain, script: ['echo "\${BASH_VERSION:-none}"']}
debug-shell: {image: {name: "distroless:debug", entrypoint: [""]}, script: [echo here]}
execs: {image: entrypoint-execs, script: [echo wrapped $WRAPPED]}
waits: {image: entrypoint-waits, script: [echo wrapped $WRAPPED]}
tini: {image: entrypoint-tini, script: [echo here]}
replaced: {image: {name: entrypoint-ignores, entrypoint: [""]}, script: ['echo "wrapped \${WRAPPED:-no}"']}
ignores: {image: entrypoint-ignores, script: [echo never]}
no-shell: {image: {name: "distroless:latest", entrypoint: [""]}, script: [echo never]}
no-entrypoint: {image: {name: busybox, entrypoint: [/not/there]}, script: [echo never]}
hidden:
  image: {name: busybox, docker: {platform: linux/amd64}}
  script: [uname -m]
`;

test.each([
  ["nonroot", /\n1000\n.*\nhere\n/s],
  ["chosen-user", /\n4711\n4712\n/],
  ["bash", /\n5\.\d/],
  ["no-bash", /\nnone\n/],
  ["debug-shell", /\nhere\n/],
  ["execs", /\nwrapped yes\n/],
  ["waits", /\nwrapped yes\n/],
  ["tini", /\nhere\n/],
  ["replaced", /\nwrapped no\n/],
  ["hidden", /\nx86_64\n/],
])("%s runs its script", (name, output) => {
  expect(plain.trace(name)).toMatch(output);
  expect(plain.job(name).status).toBe("success");
});

test.each([
  ["no-such-user", /image busybox has no user or group nobody-knows: name one that the image has/],
  [
    "ignores",
    /ended by itself with exit code 0\. .*must exec .* It said: this image does one thing/,
  ],
  [
    "no-shell",
    /image distroless:latest has no shell \(sh\) in its PATH, .*: use an image with a POSIX shell/,
  ],
  ["no-entrypoint", /image busybox cannot be started: there is no \/not\/there in it/],
])("%s is refused with what to do about it", (name, words) => {
  const job = plain.job(name);
  expect([job.status, job.failureReason]).toEqual(["failed", "runner_configuration_error"]);
  expect(plain.trace(name)).toMatch(words);
  expect(plain.trace(name)).not.toContain("never");
});

test("what an image said last is quoted without the job's secrets", async () => {
  const masked = { public: false, masked: true, file: false, raw: false };
  const job = await plain.enqueue({
    variables: [
      { key: "GIT_STRATEGY", value: "none", ...masked, masked: false },
      { key: "PASSWORD", value: "image does one", ...masked },
    ],
    payload: { image: { name: "entrypoint-ignores" } },
  });
  expect(job.failureReason).toBe("runner_configuration_error");
  expect(job.trace().toString()).toContain("It said: this [MASKED] thing");
});

const settings = {
  memory: "384m",
  cpus: "0.5",
  extra_hosts: ["far.example.com:192.0.2.7"],
  dns: ["192.0.2.53"],
  dns_search: ["corp.example.com"],
  hostname: "a-name",
  ulimit: { nofile: "512:1024" },
  sysctls: { "net.ipv4.ip_local_port_range": "20000 21000" },
  cap_add: ["SYS_PTRACE"],
  cap_drop: ["NET_RAW"],
  shm_size: "32m",
  tmpfs: { "/fast": "size=8m" },
  volumes: ["/anonymous", "/etc:/of-the-host:ro"],
  group_add: ["4242"],
  cpuset_cpus: "0",
  security_opt: ["no-new-privileges"],
};

const limits = `
seen:
  image: python:alpine
  script:
    - cat /etc/hosts /etc/resolv.conf /etc/hostname
    - ulimit -Sn; ulimit -Hn
    - cat /proc/sys/net/ipv4/ip_local_port_range
    - grep -E 'CapEff|NoNewPrivs|Cpus_allowed_list|Groups' /proc/self/status
    - df -k /dev/shm /fast /anonymous
    - test -f /of-the-host/passwd; touch /of-the-host/x || echo read-only
    - python3 -c "import time; s=time.process_time(); w=time.time(); [i for i in range(8_000_000)]; print('share %.2f' % ((time.process_time()-s)/(time.time()-w)))"
memory:
  image: python:alpine
  script: ["python3 -c 'x = bytearray(600 << 20)'"]
survives:
  image: python:alpine
  script: ["python3 -c 'x = bytearray(600 << 20)' || echo went on"]
roomy:
  image: python:alpine
  variables: {BURST_MEMORY: 1G}
  script: ["python3 -c 'x = bytearray(600 << 20); print(len(x))'"]
`;

test("the runner's settings for containers arrive in the job's", () => {
  const trace = set.trace("seen");
  expect(set.job("seen").status).toBe("success");
  expect(trace).toContain("192.0.2.7\tfar.example.com\n");
  expect(trace).toContain("nameserver 192.0.2.53\n");
  expect(trace).toContain("search corp.example.com\n");
  expect(trace).toContain("\na-name\n");
  expect(trace).toContain("\n512\n1024\n");
  expect(trace).toMatch(/\n20000\s+21000\n/);
  const [, bits = "0"] = /CapEff:\s*(\w+)/.exec(trace) ?? [];
  const has = (bit: bigint) => ((BigInt(`0x${bits}`) >> bit) & 1n) === 1n;
  expect({ ptrace: has(19n), rawSockets: has(13n) }).toEqual({ ptrace: true, rawSockets: false });
  expect(trace).toMatch(/NoNewPrivs:\s*1\n/);
  expect(trace).toMatch(/Cpus_allowed_list:\s*0\n/);
  expect(trace).toMatch(/Groups:.*\b4242\b/);
  expect(trace).toMatch(/shm\s+32768 .*\/dev\/shm\n/);
  expect(trace).toMatch(/tmpfs\s+8192 .*\/fast\n/);
  expect(trace).toMatch(/\/anonymous\n/);
  expect(trace).toContain("\nread-only\n");
});

test("cpus is a hard limit", () => {
  const [, share = "1"] = /share (\d\.\d+)/.exec(set.trace("seen")) ?? [];
  expect(Number(share)).toBeLessThan(0.8);
});

test("a job that runs out of memory ends with 137, and its log tells the limit and what to ask for", () => {
  const job = set.job("memory");
  const trace = set.trace("memory");
  expect([job.status, job.failureReason, job.exitCode]).toEqual(["failed", "script_failure", 137]);
  expect(trace).toMatch(/ran out of memory.*limit is 384 MiB.*BURST_MEMORY.*768M/);
  expect(trace).toMatch(/\nERROR: Job failed: .*137/);
});

test("a process that the kernel took is told though the job goes on, and more memory helps", () => {
  expect(set.trace("survives")).toContain("\nwent on\n");
  expect(set.trace("survives")).toMatch(/WARNING: the job ran out of memory: its limit is 384 MiB/);
  expect(set.job("survives").status).toBe("success");
  expect(set.trace("roomy")).toContain("\n629145600\n");
});

test("what the engine does not take of the settings is told as the runner's mistake", async () => {
  const wrong = await openContained({ settings: { runtime: "no-such-runtime" } });
  await wrong.run("job: {image: busybox, script: [echo never]}\n");
  expect(wrong.job("job").failureReason).toBe("runner_configuration_error");
  expect(wrong.trace("job")).toMatch(/no-such-runtime/);
});
