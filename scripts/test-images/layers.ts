// What the test images are put together from: systems of Debian packages, and layers of a few files.

import { execFileSync } from "node:child_process";
import { debianLayer, debianSuite } from "../../src/local/agent-image/debian-layer.ts";
import type { LayerCache } from "../../src/local/agent-image/debian-layer.ts";
import { layerOf } from "../../src/local/agent-image/image-archive.ts";
import type { Layer } from "../../src/local/agent-image/image-archive.ts";
import { tarArchive } from "../../src/local/agent-image/tar-archive.ts";
import type { TarEntry } from "../../src/local/agent-image/tar-archive.ts";

interface System {
  readonly name: string;
  readonly packages: readonly string[];
  readonly script: string;
}

const tools = ["dash", "coreutils", "grep", "sed", "findutils", "libc-bin"];

const users = (lines: readonly string[]) =>
  lines
    .map((line) => {
      const [name = "", id = "", home = ""] = line.split(" ");
      return `
mkdir -p "$1${home}" && chown ${id}:${id} "$1${home}"
echo ${name}:x:${id}:${id}::${home}:/bin/sh >>"$1/etc/passwd"
echo ${name}:x:${id}: >>"$1/etc/group"`;
    })
    .join("");

/** Its programs are PostgreSQL 15 and Redis 7: the release is a fixed one. */
const systems = {
  busybox: { name: "busybox", packages: ["busybox-static"], script: "" },
  plain: {
    name: "debian-plain",
    packages: [...tools, "tini"],
    script: users(["builder 1000 /home/builder"]),
  },
  /** To be laid over `plain`. */
  bash: { name: "debian-bash", packages: ["bash"], script: "" },
  python: {
    name: "python",
    packages: ["python3", "git", "busybox-static", "ca-certificates"],
    script: `
cd "$1"
ln -s python3 usr/bin/python
rm -rf usr/share/perl* usr/lib/*/perl* usr/lib/*/libperl.so* usr/bin/perl*`,
  },
  opencv: {
    name: "opencv",
    packages: [...tools, "bash", "tar", "gzip", "python3-opencv"],
    script: "",
  },
  databases: {
    name: "databases",
    packages: [...tools, "util-linux", "tzdata", "postgresql-15", "redis-server"],
    script: `${users(["postgres 999 /var/lib/postgresql", "redis 998 /data"])}
cd "$1"
# Without the compiler, and without the Perl in front of the clients, there is no use for either's libraries.
find usr/bin -lname '*pg_wrapper' -delete
rm -rf usr/share/perl* usr/lib/*/perl* usr/lib/*/libperl.so* usr/bin/perl* usr/lib/*/libLLVM* usr/lib/*/libz3* \
  usr/lib/postgresql/*/lib/bitcode usr/lib/postgresql/*/lib/llvmjit* usr/share/i18n usr/share/zoneinfo/right`,
  },
} as const satisfies Record<string, System>;

export type SystemName = keyof typeof systems;

export async function systemLayer(name: SystemName, cache: LayerCache): Promise<Layer> {
  return await debianLayer({ ...systems[name], suite: debianSuite }, cache);
}

export function filesLayer(entries: readonly TarEntry[]): Layer {
  return layerOf(tarArchive(entries));
}

/** One file out of a system. */
export function fileOf(layer: Layer, path: string): Uint8Array {
  if (layer.tar instanceof Uint8Array) throw new TypeError("only kept layers are looked into");
  return execFileSync("tar", ["-xOf", layer.tar.file, `./${path}`], { maxBuffer: 1 << 26 });
}
