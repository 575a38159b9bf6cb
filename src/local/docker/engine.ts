// Finds the container engine: DOCKER_HOST, over TLS as Docker's own command does it (DOCKER_TLS_VERIFY,
// DOCKER_CERT_PATH), else the sockets of Docker and Podman.

import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { SettingsError } from "../../core/errors.ts";

export type Engine = Docker;

/** Sockets in the order they are tried. */
function sockets(environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  const runtime = environment["XDG_RUNTIME_DIR"];
  return [
    "/var/run/docker.sock",
    ...(runtime === undefined ? [] : [`${runtime}/docker.sock`, `${runtime}/podman/podman.sock`]),
    "/run/podman/podman.sock",
  ];
}

/** Connects and asks for the engine's version. Throws SettingsError with one sentence where there is none. */
export async function connectEngine(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Engine> {
  const { address, engine } = choose(environment);
  try {
    await engine.ping();
    return engine;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "no answer";
    throw new SettingsError(
      `the container engine at ${address} does not answer (${why}): start it, or point DOCKER_HOST at one that runs`,
      { cause },
    );
  }
}

function choose(environment: Readonly<Record<string, string | undefined>>): {
  readonly address: string;
  readonly engine: Engine;
} {
  const host = environment["DOCKER_HOST"];
  if (host !== undefined && host !== "") {
    if (host.startsWith("unix://")) {
      return { address: host, engine: new Docker({ socketPath: host.slice("unix://".length) }) };
    }
    if (/^(tcp|https?):\/\//.test(host) && URL.canParse(host)) {
      return { address: host, engine: overNetwork(new URL(host), environment) };
    }
    throw new SettingsError(
      `DOCKER_HOST is ${JSON.stringify(host)}: must begin with unix:// or tcp://`,
    );
  }
  const socketPath = sockets(environment).find((path) => existsSync(path));
  if (socketPath === undefined) {
    throw new SettingsError(
      "the docker executor needs a container engine, and there is none: no DOCKER_HOST, and no socket of Docker " +
        "or Podman. Start one, or run jobs with --executor process",
    );
  }
  return { address: socketPath, engine: new Docker({ socketPath }) };
}

function overNetwork(
  { protocol, hostname, port }: URL,
  environment: Readonly<Record<string, string | undefined>>,
): Engine {
  // Docker's own rule: any text but none.
  const isTls = protocol === "https:" || (environment["DOCKER_TLS_VERIFY"] ?? "") !== "";
  if (!isTls) return new Docker({ protocol: "http", host: hostname, port: port || 2375 });
  const folder = environment["DOCKER_CERT_PATH"] || join(homedir(), ".docker");
  const [ca, cert, key] = ["ca.pem", "cert.pem", "key.pem"].map((name) => pem(join(folder, name)));
  return new Docker({ protocol: "https", host: hostname, port: port || 2376, ca, cert, key });
}

function pem(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new SettingsError(
      `the container engine is asked for over TLS, and ${file} cannot be read: DOCKER_CERT_PATH must name a folder ` +
        "with ca.pem, cert.pem and key.pem",
      { cause },
    );
  }
}
