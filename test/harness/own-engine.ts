// An engine of a test file's own, with images of the usual one, and all that it holds in sight: for tests that count
// what is left behind, or that kill the engine itself.

import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import Docker from "dockerode";
import { engineError } from "../../src/local/agent-image/engine-progress.ts";
import { connectEngine } from "../../src/local/docker/engine.ts";
import type { Engine } from "../../src/local/docker/engine.ts";
import { startEngine } from "./engine.ts";

export interface OwnEngine {
  readonly host: string;
  readonly client: Engine;
  /** Everything that a job could leave in it. */
  holds(): Promise<EngineHoldings>;
  /** The engine alone; its containers go on without it. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

export interface EngineHoldings {
  readonly containers: readonly string[];
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
  readonly images: readonly string[];
  /** Of containers' file systems and namespaces. */
  readonly mounts: readonly string[];
}

/** From here on everything in this process uses it. */
export async function startOwnEngine(images: readonly string[]): Promise<OwnEngine> {
  const usual = await connectEngine(process.env);
  const started = await startEngine();
  const socket = started.host.slice("unix://".length);
  const client = new Docker({ socketPath: socket });
  try {
    for (const image of images) {
      const answer = await client.loadImage(await usual.getImage(image).get(), { quiet: true });
      const error = await engineError(answer);
      if (error !== undefined) throw new Error(`${image} cannot be loaded: ${error}`);
    }
  } catch (cause) {
    await started.close();
    throw cause;
  }
  process.env["DOCKER_HOST"] = started.host;
  const folder = socket.replace(/\/docker\.sock$/, "");
  return {
    host: started.host,
    client,
    async holds() {
      const [containers, networks, { Volumes }, listed] = await Promise.all([
        client.listContainers({ all: true }),
        client.listNetworks(),
        client.listVolumes(),
        client.listImages({ all: true }),
      ]);
      return {
        containers: containers.map(({ Names, State }) => `${Names.join()} ${State}`).toSorted(),
        networks: networks.map(({ Name }) => Name).toSorted(),
        volumes: (Volumes ?? []).map(({ Name }) => Name).toSorted(),
        images: listed.map(({ Id }) => Id).toSorted(),
        mounts: readFileSync("/proc/self/mountinfo", "utf8")
          .split("\n")
          .map((line) => line.split(" ")[4] ?? "")
          .filter((path) => path.startsWith(`${folder}/`))
          .toSorted(),
      };
    },
    async kill() {
      const pid = Number(await readFile(`${folder}/pid`, "utf8"));
      // 0 would be this process and all of its group.
      if (!(pid > 1)) throw new Error("the engine has not said what its process is");
      process.kill(pid, "SIGKILL");
    },
    close: () => started.close(),
  };
}
