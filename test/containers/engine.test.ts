import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { expect, test } from "vitest";
import { packageVersion } from "../../src/cli/package-version.ts";
import { agentExit } from "../../src/core/hand-off.ts";
import { agentConfig } from "../../src/local/agent-image/debian-agent.ts";
import { defaultLayerFolder } from "../../src/local/agent-image/debian-layer.ts";
import {
  agentImageName,
  ensureAgentImage,
} from "../../src/local/agent-image/ensure-agent-image.ts";
import { loadImages, madeOfLabel } from "../../src/local/agent-image/load-images.ts";
import { startEngine } from "../harness/engine.ts";
import { runContainer, testEngine } from "./run-container.ts";

const agentImage = agentImageName(packageVersion());
const layerFolder = defaultLayerFolder(process.env);
const shell = (script: string) => ["sh", "-c", script];
/** Not the loopback: whoever asks a service comes from outside. */
const ownAddress = 'address=$(grep "$(cat /etc/hostname)" /etc/hosts | cut -f 1)';

test("the agent's image has this machine's Node, git with LFS and HTTPS, and what makes FIFOs", async () => {
  const script =
    "node --version && git --version && git lfs version && git ls-remote https://localhost:1/x.git; mkfifo /tmp/f && " +
    "test -p /tmp/f && test -s /etc/ssl/certs/ca-certificates.crt && git submodule status && id -u";
  const { status, output } = await runContainer(
    agentImage,
    ["-c", `git init -q /r; cd /r; ${script}`],
    {
      Entrypoint: ["sh"],
    },
  );
  expect(output).toContain(`${process.version}\n`);
  expect(output).toMatch(/^git version 2\./m);
  expect(output).toMatch(/^git-lfs\/\d/m);
  expect(output).toMatch(/unable to access 'https:.*Could not|unable to access 'https:.*Failed/);
  expect(output).toMatch(/\n0\n$/);
  expect(status).toBe(0);
});

test("the agent starts in its image, and ends with an exit code of its protocol when nobody hands it a job", async () => {
  const { status, output } = await runContainer(agentImage, undefined, { Tty: false });
  expect(output).not.toContain("Cannot find");
  expect(status).toBe(agentExit.undelivered);
});

test("an agent's image that is there and of this agent is not made again", async () => {
  const options = { name: agentImage, layerFolder, notice: () => undefined };
  const again = await ensureAgentImage(await testEngine(), { ...options, sources: ["debian"] });
  expect(again).toEqual({ kind: "ready", made: undefined });
});

test("the Dockerfile makes the same image, given another base", async () => {
  const engine = await testEngine();
  const name = "gitlab-burst-agent:by-dockerfile";
  try {
    const built = await ensureAgentImage(engine, {
      name,
      sources: ["dockerfile"],
      base: agentImage,
      layerFolder,
      notice: () => undefined,
    });
    expect(built).toEqual({ kind: "ready", made: "dockerfile" });
    const { Config, RootFS } = await engine.getImage(name).inspect();
    expect(Config).toMatchObject(agentConfig);
    expect(RootFS.Layers).toHaveLength(2);
    expect((await runContainer(name, undefined, { Tty: false })).status).toBe(
      agentExit.undelivered,
    );
  } finally {
    await engine.getImage(name).remove({ force: true });
  }
});

test("an image that others made is neither replaced nor taken for one that lacks something", async () => {
  const engine = await testEngine();
  const [name, theirs] = ["gitlab-burst-agent:of-others", "burst-test-foreign:1"];
  const container = await engine.createContainer({ Image: "busybox:latest", Labels: {} });
  const changes = `LABEL ${madeOfLabel}=`;
  for (const image of [name, theirs]) {
    const [repo, tag] = image.split(":");
    await container.commit({ repo, tag, changes });
  }
  await container.remove();
  try {
    const options = { name, layerFolder, notice: () => undefined };
    const agent = await ensureAgentImage(engine, { ...options, sources: ["debian"] });
    expect(agent).toEqual({ kind: "ready", made: undefined });
    const image = { names: [theirs], layers: [], config: {} };
    await expect(loadImages(engine, [image])).rejects.toThrow(
      "the engine has an image burst-test-foreign:1 that is not of our making",
    );
  } finally {
    for (const image of [name, theirs]) await engine.getImage(image).remove({ force: true });
  }
});

test("where the agent's image cannot be made, every way that was tried is told with its reason", async () => {
  const image = await ensureAgentImage(await testEngine(), {
    name: "gitlab-burst-agent:never-made",
    sources: ["dockerfile"],
    base: "127.0.0.1:1/nowhere:1",
    layerFolder,
    notice: () => undefined,
  });
  expect(image).toEqual({
    kind: "unavailable",
    message: expect.stringMatching(
      /^cannot make the agent's image gitlab-burst-agent:never-made:\nby its Dockerfile: .*127\.0\.0\.1:1/,
    ),
  });
});

test.each([
  ["busybox:latest", "busybox | head -n 1; command -v bash", /^BusyBox v[^\n]*\n$/, 127],
  [
    "python:alpine",
    'python -c "print(6 * 7)"; command -v bash; git --version',
    /^42\ngit version /,
    0,
  ],
  ["ubuntu-opencv:latest", 'python3 -c "import cv2; print(cv2.__version__)"', /^4\.\d/, 0],
  ["debian-plain:latest", "readlink /bin/sh; mktemp >/dev/null; command -v bash", /^dash\n$/, 127],
  ["debian-bash:latest", "bash -c 'echo $BASH_VERSION'", /^5\./, 0],
  ["debian-nonroot:latest", "id -u; pwd; touch here", /^1000\n\/home\/builder\n$/, 0],
  ["entrypoint-execs:latest", "echo $WRAPPED $$; exit 3", /^yes 1\n$/, 3],
  ["entrypoint-waits:latest", "echo $WRAPPED; [ $$ != 1 ]", /^yes\n$/, 0],
  ["entrypoint-ignores:latest", "exit 3", /^this image does one thing\n$/, 0],
  ["entrypoint-tini:latest", "[ $$ != 1 ] && readlink /proc/1/exe", /tini/, 0],
])("%s runs %j", async (image, script, output, status) => {
  const run = await runContainer(image, shell(script));
  expect(run.output).toMatch(output);
  expect(run.status).toBe(status);
});

test("the distroless image runs its one program, and has no shell", async () => {
  expect(await runContainer("distroless:latest")).toEqual({ status: 0, output: "" });
  await expect(
    runContainer("distroless:latest", ["-c", "true"], { Entrypoint: ["sh"] }),
  ).rejects.toThrow(/executable file not found/);
});

test("the distroless image's debug variant has a shell in /busybox", async () => {
  const run = await runContainer("distroless:debug", ["-c", "ls -d /bin /busybox/sh"]);
  expect(run.output).toContain("/busybox/sh\n");
  expect(run.output).toContain("/bin: No such file");
});

test("PostgreSQL makes the user and the database that the environment asks for, and listens after that", async () => {
  const client = `${ownAddress}; export PGPASSWORD=right PSQL_PAGER=cat
    until psql -h 127.0.0.1 -U me -d app -tAc "select 'I am ' || current_user" 2>/dev/null; do
      sleep 0.1
    done
    PGPASSWORD=wrong psql -h "$address" -U me -d app -c "select 1"`;
  const output = await insideService("postgres:15", client, [
    "POSTGRES_USER=me",
    "POSTGRES_PASSWORD=right",
    "POSTGRES_DB=app",
  ]);
  expect(output).toMatch(/^I am me\n/);
  expect(output).toContain("password authentication failed");
});

test("PostgreSQL refuses to start without a password", async () => {
  const { status, output } = await runContainer("postgres:15");
  expect(output).toContain("POSTGRES_PASSWORD");
  expect(status).toBe(1);
});

test("Redis answers on the container's address, and does not run as root", async () => {
  const client = `${ownAddress}; until redis-cli -h "$address" ping 2>/dev/null; do sleep 0.1; done; stat -c %U /proc/1`;
  expect(await insideService("redis:7", client, [])).toBe("PONG\nredis\n");
});

async function insideService(
  image: string,
  script: string,
  environment: string[],
): Promise<string> {
  const engine = await testEngine();
  const service = await engine.createContainer({ Image: image, Env: environment });
  try {
    await service.start();
    const exec = await service.exec({
      Cmd: shell(script),
      Tty: true,
      AttachStdout: true,
      AttachStderr: true,
    });
    let output = "";
    for await (const bytes of await exec.start({ Tty: true })) output += String(bytes);
    return output.replaceAll("\r\n", "\n");
  } finally {
    await service.remove({ force: true, v: true });
  }
}

test("an engine of one's own leaves nothing behind, whatever ran in it", async () => {
  const engine = await startEngine();
  const [folder = "none"] = /burst-engine-\w{6}\b/.exec(engine.host) ?? [];
  const client = new Docker({ socketPath: engine.host.slice("unix://".length) });
  const given = await (await testEngine()).getImage("busybox:latest").get();
  await new Promise((resolve, reject) => {
    client.loadImage(given).then((answer) => answer.resume().on("end", resolve), reject);
  });
  const network = await client.createNetwork({ Name: "a-network" });
  const stubborn = await client.createContainer({
    Image: "busybox:latest",
    Cmd: shell('trap "" TERM; while :; do sleep 1; done'),
    HostConfig: {
      NetworkMode: network.id,
      Binds: ["a-volume:/v"],
      RestartPolicy: { Name: "always" },
    },
  });
  await stubborn.start();
  const bridge = (await client.getNetwork("bridge").inspect()) as BridgeNetwork;
  const [, subnet = "none"] = /^(\d+\.\d+)\./.exec(bridge.IPAM.Config[0]?.Gateway ?? "") ?? [];
  const running = footprint(folder, subnet);
  expect(Object.values(running).map((found) => found.length > 0)).toEqual([true, true, true, true]);
  await engine.close();
  expect(footprint(folder, subnet)).toEqual({
    addresses: [],
    mounts: [],
    folders: [],
    processes: [],
  });
});

interface BridgeNetwork {
  readonly IPAM: { readonly Config: readonly { readonly Gateway: string }[] };
}

/** What an engine of ours may leave: by names that only it has, for there may be others of ours. */
function footprint(folder: string, subnet: string) {
  const addresses = execFileSync("ip", ["-o", "-4", "addr", "show"], { encoding: "utf8" });
  return {
    addresses: addresses.split("\n").filter((line) => line.includes(` ${subnet}.`)),
    mounts: readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .filter((line) => line.includes(folder)),
    folders: readdirSync(tmpdir()).filter((name) => name === folder),
    processes: readdirSync("/proc").filter(
      (entry) => /^\d+$/.test(entry) && commandLine(entry).includes(folder),
    ),
  };
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

test("where there is no engine and none can be started, all that is missing is named", async () => {
  const script = new URL("../harness/engine.sh", import.meta.url).pathname;
  const { status, stderr } = spawnSync("/bin/sh", [script], {
    env: { PATH: "/nowhere" },
    encoding: "utf8",
  });
  expect(stderr).toBe(
    "engine: cannot start a container engine: missing dockerd (apt-get install docker.io), " +
      "containerd (apt-get install containerd), runc (apt-get install runc), ip (apt-get install iproute2)\n",
  );
  expect(status).toBe(1);
});

test("where mmdebstrap is missing, the agent's image says so", async () => {
  const folder = mkdtempSync(join(tmpdir(), "burst-layers-"));
  const path = process.env["PATH"];
  try {
    process.env["PATH"] = "/nowhere";
    const image = await ensureAgentImage(await testEngine(), {
      name: "gitlab-burst-agent:never-made",
      sources: ["debian"],
      layerFolder: folder,
      notice: () => undefined,
    });
    expect(image).toEqual({
      kind: "unavailable",
      message:
        "cannot make the agent's image gitlab-burst-agent:never-made:\n" +
        "from Debian packages: mmdebstrap is not here (apt-get install mmdebstrap)",
    });
  } finally {
    process.env["PATH"] = path;
    rmSync(folder, { recursive: true });
  }
});
