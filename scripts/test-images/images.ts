// The images that the container tests, and the examples, run in: stand-ins for what people pull, and the odd ones
// that a runner must cope with.

import { readFileSync } from "node:fs";
import type { LayerCache } from "../../src/local/agent-image/debian-layer.ts";
import { standardPath } from "../../src/local/agent-image/image-archive.ts";
import type { Image, ImageConfig, Layer } from "../../src/local/agent-image/image-archive.ts";
import { fileOf, filesLayer, systemLayer } from "./layers.ts";
import type { SystemName } from "./layers.ts";

interface TestImage {
  readonly names: readonly string[];
  readonly systems: readonly SystemName[];
  /** What comes on top, or instead, given the systems' layers. */
  readonly layers?: (systems: readonly Layer[]) => readonly Layer[];
  readonly config: ImageConfig;
}

const path = [standardPath];

export const testImages: readonly TestImage[] = [
  { names: ["busybox:latest"], systems: ["busybox"], config: { Cmd: ["sh"], Env: path } },
  { names: ["python:alpine"], systems: ["python"], config: { Cmd: ["python3"], Env: path } },
  { names: ["ubuntu-opencv:latest"], systems: ["opencv"], config: { Cmd: ["bash"], Env: path } },
  { names: ["debian-plain:latest"], systems: ["plain"], config: { Cmd: ["sh"], Env: path } },
  {
    names: ["debian-bash:latest"],
    systems: ["plain", "bash"],
    config: { Cmd: ["bash"], Env: path },
  },
  {
    names: ["debian-nonroot:latest"],
    systems: ["plain"],
    config: { Cmd: ["sh"], Env: path, User: "1000", WorkingDir: "/home/builder" },
  },
  withEntrypoint("entrypoint-execs", 'export WRAPPED=yes\nexec "$@"'),
  withEntrypoint("entrypoint-waits", 'export WRAPPED=yes\n"$@"\nexit $?'),
  withEntrypoint("entrypoint-ignores", 'echo "this image does one thing"'),
  {
    names: ["entrypoint-tini:latest"],
    systems: ["plain"],
    config: { Entrypoint: ["/usr/bin/tini", "--"], Cmd: ["sh"], Env: path },
  },
  // One static program, and no shell.
  {
    names: ["distroless:latest"],
    systems: ["busybox"],
    layers: (systems) => [filesLayer([{ ...busyboxIn(systems), path: "bin/true" }])],
    config: { Entrypoint: ["/bin/true"], Env: path },
  },
  // As the debug variants have it: a shell where nobody would look for one.
  {
    names: ["distroless:debug"],
    systems: ["busybox"],
    layers: (systems) => [
      filesLayer([
        { path: "busybox/", content: "folder" },
        { ...busyboxIn(systems), path: "busybox/busybox" },
        ...["sh", "sleep", "cat", "ls", "id", "grep", "mkdir", "rm", "true", "env"].map((name) => ({
          path: `busybox/${name}`,
          content: { linkTo: "busybox" },
        })),
      ]),
    ],
    config: { Entrypoint: ["/busybox/sh"], Env: [`${standardPath}:/busybox`] },
  },
  {
    names: ["postgres:15", "postgres:latest"],
    systems: ["databases"],
    layers: ([system]) => [...(system === undefined ? [] : [system]), entrypoint("postgres.sh")],
    config: {
      Entrypoint: ["docker-entrypoint.sh"],
      Cmd: ["postgres"],
      Env: [
        `${standardPath}:/usr/lib/postgresql/15/bin`,
        "LANG=C.UTF-8",
        "PGDATA=/var/lib/postgresql/data",
      ],
      ExposedPorts: { "5432/tcp": {} },
      Volumes: { "/var/lib/postgresql/data": {} },
      StopSignal: "SIGINT",
    },
  },
  {
    names: ["redis:7", "redis:latest"],
    systems: ["databases"],
    layers: ([system]) => [...(system === undefined ? [] : [system]), entrypoint("redis.sh")],
    config: {
      Entrypoint: ["docker-entrypoint.sh"],
      Cmd: ["redis-server"],
      Env: path,
      ExposedPorts: { "6379/tcp": {} },
      Volumes: { "/data": {} },
      WorkingDir: "/data",
    },
  },
];

export async function assemble(recipe: TestImage, cache: LayerCache): Promise<Image> {
  const systems: Layer[] = [];
  for (const name of recipe.systems) systems.push(await systemLayer(name, cache));
  const { names, config } = recipe;
  return { names, config, layers: recipe.layers?.(systems) ?? systems };
}

/** An image with a script for an entrypoint, which gets the command as its arguments. */
function withEntrypoint(name: string, script: string): TestImage {
  const content = Buffer.from(`#!/bin/sh\n${script}\n`);
  return {
    names: [`${name}:latest`],
    systems: ["plain"],
    layers: (systems) => [
      ...systems,
      filesLayer([{ path: "entrypoint.sh", mode: 0o755, content }]),
    ],
    config: { Entrypoint: ["/entrypoint.sh"], Cmd: ["sh"], Env: path },
  };
}

function entrypoint(file: string): Layer {
  const content = readFileSync(new URL(file, import.meta.url));
  return filesLayer([{ path: "usr/local/bin/docker-entrypoint.sh", mode: 0o755, content }]);
}

function busyboxIn(systems: readonly Layer[]) {
  const [system] = systems;
  if (system === undefined) throw new TypeError("no system to take busybox from");
  return { mode: 0o755, content: fileOf(system, "bin/busybox") };
}
