// What the code of a job can reach from its container, as root and as an ordinary user: nothing of its agent, of
// other jobs, or of the machine, beyond what is the job's own.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { bridgeAddress } from "../../src/local/docker/gitlab-route.ts";
import { openContained } from "../harness/containers.ts";

const logins = { auths: { "registry.example.com": { auth: "dXNlcjpydW5uZXJzLW93bi1sb2dpbg==" } } };
const contained = await openContained({ head: "", settings: { registry_auth: logins } });
const { run, job, trace, gitlab, engine } = contained;

const look = `
    - echo "processes $(ls -d /proc/[0-9]* | wc -l)"; cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '; echo
    - cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | sed 's/^/environ /' || true
    - sed 's/^/unix /' /proc/net/unix
    - cat /proc/net/tcp /proc/net/tcp6 | sed 's/^/tcp /'
    - ls -d /cache /burst/agent /var/run/docker.sock /run/docker.sock 2>&1 | sed 's/^/ls /' || true
    - find / -xdev -name "*docker.sock" 2>/dev/null | sed 's/^/find /'
    - ls -A /builds /builds/* | sed 's/^/builds /'; ls -A /burst/control | sed 's/^/control /'
    - for d in /proc/*/fd; do ls -l $d; done 2>/dev/null | sed -n 's/.*-> /open /p' | sort -u
    - sed 's/^/mount /' /proc/self/mountinfo
    - dd if=/proc/1/mem bs=1 count=1 2>&1 | sed 's/^/mem /' || true
`;

beforeAll(async () => {
  await run(`
variables: {GIT_STRATEGY: none}
other job:
  image: busybox:latest
  script: [echo secret-of-another-job > here, sleep 12]
root:
  image: busybox:latest
  script:${look}
user:
  image: debian-nonroot:latest
  script:${look}
`);
});

const linesOf = (name: string, kind: string) =>
  trace(name)
    .split("\n")
    .filter((line) => line.startsWith(`${kind} `))
    .map((line) => line.slice(kind.length + 1));

test.each(["root", "user"])("%s sees its own processes only, none of them the agent's", (name) => {
  expect(job(name).status).toBe("success");
  expect(trace(name)).not.toMatch(/\bnode\b|agent\.mjs|main\.js/);
  const environment = linesOf(name, "environ").join("\n");
  expect(environment).not.toMatch(/^(?:NODE_|DOCKER_|BURST_(?!CONTROL=))/m);
  expect(environment).not.toContain(gitlab.runnerToken);
});

test.each(["root", "user"])(
  "%s finds no socket of the agent's in the network they share",
  (name) => {
    const [, ...unix] = linesOf(name, "unix");
    expect(unix).toEqual([]);
    const listening = linesOf(name, "tcp").filter((line) => line.split(/\s+/)[3] === "0A");
    expect(listening).toEqual([]);
  },
);

test.each(["root", "user"])(
  "%s has neither caches nor the agent's folder nor the engine's socket",
  (name) => {
    expect(linesOf(name, "ls").every((line) => line.includes("No such file"))).toBe(true);
    expect(linesOf(name, "ls")).toHaveLength(4);
    expect(linesOf(name, "find")).toEqual([]);
    expect(linesOf(name, "mount").filter((line) => / \/(?:cache|burst\/agent)/.test(line))).toEqual(
      [],
    );
  },
);

test.each(["root", "user"])(
  "%s sees no other job's builds, and no hand-off among its files",
  (name) => {
    expect(trace(name)).not.toContain("secret-of-another-job");
    const builds = linesOf(name, "builds").filter((line) => line !== "" && !line.endsWith(":"));
    expect(new Set(builds)).toEqual(new Set(["root", "p1", "p1.tmp"]));
    const control = linesOf(name, "control").filter((line) => !/^stage-[0-9a-f]{32}$/.test(line));
    expect(control.toSorted()).toEqual(["cmd", "events", "out"]);
    expect(linesOf(name, "open").filter((path) => /hand|trace|agent/.test(path))).toEqual([]);
  },
);

test("an agent has in its environment and in its memory no login of the runner's", async () => {
  const pipeline = await contained.start(`
variables: {GIT_STRATEGY: none}
waits: {image: "busybox:latest", script: [echo is-here; sleep 60]}
`);
  await contained.traceHas("waits", "\nis-here\n");
  const { agent = "", job: jobs = "" } = await contained.containers(pipeline.jobs[0]!.id);
  const inspected = await engine.getContainer(agent).inspect();
  expect(inspected.Config.Env.map((entry) => entry.split("=")[0]).toSorted()).toEqual(["PATH"]);
  expect(inspected.HostConfig).toMatchObject({ Privileged: false, PidMode: "", CapAdd: null });
  const script = `
const fs = require("fs");
const maps = fs.readFileSync("/proc/1/maps", "utf8").split("\\n").filter((l) => / rw/.test(l));
const mem = fs.openSync("/proc/1/mem", "r");
const seen = { own: false, token: false, login: false };
for (const line of maps) {
  const [from, to] = line.split(" ")[0].split("-").map((t) => parseInt(t, 16));
  for (let at = from; at < to; at += 1 << 24) {
    const into = Buffer.alloc(Math.min(1 << 24, to - at));
    try { fs.readSync(mem, into, 0, into.length, at); } catch { continue; }
    seen.own ||= into.includes(Buffer.from(process.argv[1]));
    seen.token ||= into.includes(Buffer.from(process.argv[2]));
    seen.login ||= into.includes(Buffer.from(process.argv[3]));
  }
}
console.log(JSON.stringify(seen));`;
  // Only process 1 is searched: what this search is given stands in its own memory.
  const words = [
    contained.job("waits").token,
    gitlab.runnerToken,
    logins.auths["registry.example.com"].auth,
  ];
  const said = await inContainer(agent, ["node", "-e", script, ...words]);
  expect(JSON.parse(said)).toEqual({ own: true, token: false, login: false });
  const { HostConfig: host } = await engine.getContainer(jobs).inspect();
  expect(host).toMatchObject({ Privileged: false, PidMode: "", CapAdd: [], PidsLimit: 4096 });
  gitlab.cancel(pipeline.jobs[0]!.id);
});

test("one project's agents have no other project's caches", async () => {
  const yaml = `
variables: {GIT_STRATEGY: none}
keeps: {image: "busybox:latest", script: [echo x > f], cache: {key: k, paths: [f]}}
`;
  for (const project of ["one", "two"]) await run(yaml.replace("echo x", `echo ${project}`));
  const { Volumes: all } = await engine.listVolumes();
  const caches = all.map(({ Name }) => Name).filter((name) => name.startsWith("burst-cache-"));
  const projects = gitlab.projects().map(({ id }) => String(id));
  for (const id of projects.slice(-2)) {
    expect(caches.filter((name) => name.endsWith(`-${id}`))).not.toEqual([]);
  }
});

test("through the relay a job reaches GitLab and nothing else on the machine's loopback", async () => {
  const server = createServer((_, response) => response.end("a secret of the machine"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const gateway = await bridgeAddress(engine);
  await run(`
variables: {GIT_STRATEGY: none}
relay:
  image: busybox:latest
  script:
    - for host in ${gateway} 127.0.0.1 host.docker.internal; do wget -T 3 -O- http://$host:${port}/ 2>&1 || true; done
`);
  expect(job("relay").status).toBe("success");
  expect(trace("relay")).not.toContain("a secret of the machine");
});

async function inContainer(id: string, command: readonly string[]): Promise<string> {
  const exec = await engine.getContainer(id).exec({
    Cmd: [...command],
    Tty: true,
    AttachStdout: true,
    AttachStderr: true,
  });
  let output = "";
  for await (const bytes of await exec.start({ Tty: true })) output += String(bytes);
  return output.trim();
}
