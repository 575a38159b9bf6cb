// The agent's image for places without a registry: git and its friends from Debian packages, and the Node that
// runs this. The same parts, at the same places, as src/agent/Dockerfile has them from Alpine.

import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { debianLayer, debianSuite } from "./debian-layer.ts";
import type { LayerCache } from "./debian-layer.ts";
import { layerOf, standardPath } from "./image-archive.ts";
import type { Image, ImageConfig } from "./image-archive.ts";
import { tarArchive } from "./tar-archive.ts";

const programFolder = "usr/local/lib/gitlab-burst/";

/** As the Dockerfile has it. */
export const agentConfig: ImageConfig = {
  Entrypoint: ["node", `/${programFolder}agent.mjs`],
  Env: [standardPath],
  User: "0:0",
  WorkingDir: "/",
};

// Node's own libraries are in `packages`; what else this machine's Node was linked against comes from here.
// git's Perl scripts (send-email, svn and so on) have no Perl any more: no job's sources need them.
const script = String.raw`
set -eu
cd "$1"
cp "$BURST_NODE" usr/local/bin/node
chmod 755 usr/local/bin/node
libraries=$(dirname "$(find . -name libc.so.6 | head -n 1)")
ldd "$BURST_NODE" | while read -r name arrow file rest; do
  [ "$arrow" = "=>" ] && [ -e "$file" ] || continue
  [ -n "$(find lib* usr/lib -name "$name" | head -n 1)" ] || cp -L "$file" "$libraries/"
done
rm -rf usr/share/perl* usr/lib/*/perl* usr/lib/*/libperl.so* usr/bin/perl* usr/share/gitweb usr/lib/git-core/mergetools \
  usr/bin/scalar usr/bin/git-shell usr/bin/dpkg* usr/bin/openssl var/lib/dpkg
rm -f usr/lib/git-core/git usr/lib/git-core/git-daemon usr/lib/git-core/git-http-backend usr/lib/git-core/git-shell \
  usr/lib/git-core/git-imap-send usr/lib/git-core/git-http-push usr/lib/git-core/scalar
ln -s ../../bin/git usr/lib/git-core/git
for program in "node --version" "git --version" "git lfs version" "mkfifo /tmp/probe"; do
  chroot . $program >/dev/null ||
    { echo "$BURST_NODE and Debian's $BURST_SUITE do not go together: '$program' fails there" >&2; exit 1; }
done
rm tmp/probe
`;

export async function debianAgent(
  name: string,
  bundle: ReadonlyMap<string, Uint8Array>,
  cache: LayerCache,
): Promise<Image> {
  const suite = machineSuite();
  const node = process.execPath;
  const { size, mtimeMs } = statSync(node);
  const system = await debianLayer(
    {
      name: "agent",
      suite,
      packages: [
        "git",
        "git-lfs",
        "ca-certificates",
        "busybox-static",
        "zstd",
        "libstdc++6",
        "libatomic1",
      ],
      script,
      environment: {
        BURST_NODE: node,
        BURST_NODE_IDENTITY: `${process.version} ${size} ${mtimeMs}`,
        BURST_SUITE: suite,
      },
    },
    cache,
  );
  const files = [...bundle].map(([file, content]) => ({
    path: `${programFolder}${file}`,
    content,
  }));
  const program = tarArchive([{ path: programFolder, content: "folder" }, ...files]);
  return { names: [name], layers: [system, layerOf(program)], config: agentConfig };
}

/** Of a Debian machine its own release: its Node may be Debian's, and need as new a libc. */
function machineSuite(): string {
  try {
    const release = readFileSync("/etc/os-release", "utf8");
    if (!/^ID=debian$/m.test(release)) return debianSuite;
    return /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1] ?? debianSuite;
  } catch {
    return debianSuite;
  }
}

/** What speaks against it on this machine, for that engine; undefined: nothing. */
export function cannotUseDebian(engineArchitecture: string): string | undefined {
  if (process.platform !== "linux") return "it needs Linux";
  const ours = { x64: "x86_64", arm64: "aarch64" }[process.arch as string];
  if (ours !== engineArchitecture) {
    return `the engine's machine (${engineArchitecture}) is not of this one's kind (${process.arch})`;
  }
  try {
    execFileSync("mmdebstrap", ["--version"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "mmdebstrap is not here (apt-get install mmdebstrap)";
  }
}
