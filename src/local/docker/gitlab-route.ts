// How containers reach a GitLab that is on this machine. Their own 127.0.0.1 is not ours: a GitLab on a loopback
// address gets a relay on the bridge's address, one on a public address needs nothing.

import { createServer, connect } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { SettingsError } from "../../core/errors.ts";
import type { Engine } from "./engine.ts";

export interface GitLabRoute {
  /** GitLab's address for containers; undefined where it is the same as ours. */
  readonly url: string | undefined;
  /** Names that the containers shall know this machine by. */
  readonly hostNames: readonly string[];
  close(): Promise<void>;
}

const direct: GitLabRoute = {
  url: undefined,
  hostNames: ["host.docker.internal"],
  close: () => Promise.resolve(),
};

/** Throws SettingsError where a GitLab on loopback cannot be made reachable. */
export async function openGitLabRoute(engine: Engine, gitlabUrl: string): Promise<GitLabRoute> {
  const url = new URL(gitlabUrl);
  if (!isLoopback(url.hostname)) return direct;
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  const gateway = await bridgeAddress(engine);
  if (url.protocol === "https:") throw unreachable(gitlabUrl);
  const host = url.hostname.replaceAll(/[[\]]/g, "");
  const relay = gateway === undefined ? undefined : await openRelay(gateway, host, port);
  if (gateway === undefined || relay === undefined) {
    // An engine in a virtual machine of its own (Docker Desktop) forwards this name to our loopback.
    url.hostname = "host.docker.internal";
    return { ...direct, url: trimmed(url) };
  }
  url.hostname = gateway;
  url.port = String(relay.port);
  return { ...direct, url: trimmed(url), close: relay.close };
}

/** The address this machine has on the engine's usual network; undefined where it does not say. */
export async function bridgeAddress(engine: Engine): Promise<string | undefined> {
  const bridge = await engine
    .getNetwork("bridge")
    .inspect()
    .catch(() => undefined);
  return bridge?.IPAM?.Config?.find(({ Gateway }) => Gateway !== undefined)?.Gateway;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || host.startsWith("127.");
}

function unreachable(url: string): SettingsError {
  return new SettingsError(
    `--url ${url} is a loopback address, which a container cannot reach, and its certificate holds for that name only: ` +
      "give the address by which other machines reach this GitLab",
  );
}

function trimmed(url: URL): string {
  return url.href.replace(/\/$/, "");
}

/**
 * Hands every connection on to `host`:`port` of this machine. Undefined where `listen` is no address of ours; asked by
 * trying, for a bridge without containers is missing from the list of interfaces.
 */
async function openRelay(
  listen: string,
  host: string,
  port: number,
): Promise<{ port: number; close: () => Promise<void> } | undefined> {
  const open = new Set<Socket>();
  const server: Server = createServer((incoming) => {
    const outgoing = connect({ host, port });
    for (const [from, to] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      open.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        open.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  const listening = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(0, listen, () => resolve(true));
  });
  if (!listening) return undefined;
  server.unref();
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
