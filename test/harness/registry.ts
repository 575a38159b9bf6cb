// A container registry of a test's own on loopback: Debian's docker-registry as a process, its images in a folder that
// goes with it; on request with a password, with TLS, on an address that engines do not trust.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine } from "../../src/local/docker/engine.ts";
import { engineError } from "../../src/local/agent-image/engine-progress.ts";
import { certificateFile } from "../gitlab/certificates.ts";

export const registryUser = "somebody";
export const registryPassword = "right-password";
/** Of the password above, by bcrypt. */
const passwordHash = "$2b$04$abcdefghijklmnopqrstuuS80hwFD6gSIL20SCUGvmL7S939BjOHW";

export interface Registry {
  /** Host and port: the beginning of its images' names. */
  readonly address: string;
  /** Gives it an image of the engine's, under a path and tag; the engine forgets that name. */
  push(engine: Engine, image: string, as: string): Promise<void>;
  /** Forgets what the images below this path are made of, but not their names. */
  loseBlobs(path: string): Promise<void>;
  /** What it has said: a line for each request. */
  log(): string;
  close(): Promise<void>;
}

export interface RegistryOptions {
  readonly password?: boolean;
  readonly tls?: boolean;
  /** @default 127.0.0.1 */
  readonly listen?: string;
}

export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  const folder = await mkdtemp(join(tmpdir(), "burst-registry-"));
  const listen = options.listen ?? "127.0.0.1";
  const address = `${listen}:${await freePort(listen)}`;
  await writeFile(join(folder, "htpasswd"), `${registryUser}:${passwordHash}\n`);
  const config = {
    version: 0.1,
    storage: { filesystem: { rootdirectory: join(folder, "images") } },
    http: {
      addr: address,
      ...(options.tls === true
        ? {
            tls: { certificate: certificateFile("server.crt"), key: certificateFile("server.key") },
          }
        : {}),
    },
    ...(options.password === true
      ? { auth: { htpasswd: { realm: "test", path: join(folder, "htpasswd") } } }
      : {}),
  };
  const file = join(folder, "config.json");
  await writeFile(file, JSON.stringify(config));
  const child = spawn("docker-registry", ["serve", file], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (bytes: Buffer) => (said += bytes.toString()));
  }
  const failed = new Promise<never>((_resolve, reject) => {
    child.once("error", (cause) =>
      reject(
        new Error("docker-registry cannot be started (apt-get install docker-registry)", { cause }),
      ),
    );
    child.once("exit", () => reject(new Error(`docker-registry has ended: ${said.slice(-2000)}`)));
  });
  failed.catch(() => undefined);
  const listening = new Promise<void>((resolve) => {
    child.stderr.on("data", () => said.includes("listening on") && resolve());
    child.stdout.on("data", () => said.includes("listening on") && resolve());
  });
  await Promise.race([listening, failed]);
  return {
    address,
    async push(engine, image, as) {
      const [path = as, tag = "latest"] = as.split(":");
      const repo = `${address}/${path}`;
      await engine.getImage(image).tag({ repo, tag });
      const name = engine.getImage(`${repo}:${tag}`);
      try {
        const authconfig = { username: registryUser, password: registryPassword };
        const error = await engineError(await name.push({ authconfig }));
        if (error !== undefined) throw new Error(`the registry does not take ${as}: ${error}`);
      } finally {
        await name.remove({ force: true, noprune: true });
      }
    },
    async loseBlobs(path) {
      const blobs = join(folder, "images", "docker/registry/v2/repositories", path, "_layers");
      await rm(blobs, { recursive: true });
    },
    log: () => said,
    async close() {
      if (child.exitCode === null) {
        child.kill("SIGKILL");
        await once(child, "close");
      }
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

async function freePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}
