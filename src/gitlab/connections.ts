// Sockets: kept alive and reused, direct or through the proxy that the environment names, with a
// time limit for each step of getting one. `close` ends them all, so that a process can end by itself.

import { Agent, buildConnector, type Dispatcher, Pool, ProxyAgent } from "undici";
import { type Environment, proxyFor } from "./proxy.ts";
import type { Trust } from "./trust.ts";

export interface Timeouts {
  /** One attempt of a call, from its first byte to the reply's last. */
  readonly totalSeconds: number;
  /** From the request's last byte to the reply's headers; also a reply's longest silence after that. */
  readonly responseHeaderSeconds: number;
  readonly dialSeconds: number;
  readonly tlsSeconds: number;
  readonly idleConnectionSeconds: number;
  readonly connectionMaxAgeSeconds: number;
}

export const defaultTimeouts: Timeouts = {
  totalSeconds: 3600,
  responseHeaderSeconds: 600,
  dialSeconds: 30,
  tlsSeconds: 10,
  idleConnectionSeconds: 90,
  connectionMaxAgeSeconds: 900,
};

export interface Route {
  readonly dispatcher: Dispatcher;
  /** The proxy's host and port, without its credentials. */
  readonly proxy: string | undefined;
}

export interface Connections {
  readonly routeTo: (url: URL) => Route;
  readonly close: () => Promise<void>;
}

export function openConnections(input: {
  /** Where GitLab is: only there a client certificate is shown. */
  readonly gitlab: URL;
  readonly trust: Trust;
  readonly timeouts: Timeouts;
  readonly env: Environment;
}): Connections {
  const { trust, timeouts, env } = input;
  const gitlabHost = bareHost(input.gitlab);
  const direct = new Agent({
    ...poolOptions(timeouts),
    connect: directConnector(gitlabHost, trust, timeouts),
  });
  const proxies = new Map<string, ProxyAgent>();
  return {
    routeTo(url) {
      const proxy = proxyFor(url, env);
      if (proxy === undefined) return { dispatcher: direct, proxy: undefined };
      const toGitLab = bareHost(url) === gitlabHost;
      const key = `${toGitLab} ${proxy.href}`;
      let dispatcher = proxies.get(key);
      if (dispatcher === undefined) {
        dispatcher = openProxy(proxy, toGitLab ? trust.gitlab : trust.others, trust, timeouts);
        proxies.set(key, dispatcher);
      }
      return { dispatcher, proxy: proxy.host };
    },
    async close() {
      await Promise.all([direct, ...proxies.values()].map((agent) => agent.destroy()));
    },
  };
}

/** Without the brackets of an IPv6 address, as sockets want it. */
function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

function poolOptions(timeouts: Timeouts) {
  return {
    keepAliveTimeout: timeouts.idleConnectionSeconds * 1000,
    keepAliveMaxTimeout: timeouts.idleConnectionSeconds * 1000,
    clientTtl: timeouts.connectionMaxAgeSeconds * 1000,
    headersTimeout: timeouts.responseHeaderSeconds * 1000,
    bodyTimeout: timeouts.responseHeaderSeconds * 1000,
    pipelining: 1,
  };
}

/** TCP first, TLS on top of it: each with its own time limit. */
function directConnector(
  gitlabHost: string,
  trust: Trust,
  timeouts: Timeouts,
): buildConnector.connector {
  const dial = buildConnector({ timeout: timeouts.dialSeconds * 1000 });
  const handshake = (context: Trust["others"]) => {
    let connector: buildConnector.connector | undefined;
    return (...args: Parameters<buildConnector.connector>) => {
      connector ??= buildConnector({
        timeout: timeouts.tlsSeconds * 1000,
        secureContext: context(),
      });
      connector(...args);
    };
  };
  const toGitLab = handshake(trust.gitlab);
  const toOthers = handshake(trust.others);
  return (options, callback) => {
    if (options.protocol !== "https:") {
      dial(options, callback);
      return;
    }
    const port = options.port === "" ? "443" : options.port;
    dial({ ...options, protocol: "http:", port }, (...[error, socket]) => {
      if (error !== null) {
        callback(error, null);
        return;
      }
      const secure = options.hostname === gitlabHost ? toGitLab : toOthers;
      secure({ ...options, port, httpSocket: socket }, callback);
    });
  };
}

function openProxy(
  proxy: URL,
  context: Trust["others"],
  trust: Trust,
  timeouts: Timeouts,
): ProxyAgent {
  const { dialSeconds, tlsSeconds } = timeouts;
  const isSecure = proxy.protocol === "https:";
  return new ProxyAgent({
    ...poolOptions(timeouts),
    uri: proxy.href,
    // Plain http is asked of the proxy itself: many refuse CONNECT to port 80.
    proxyTunnel: false,
    proxyTls: isSecure
      ? { timeout: (dialSeconds + tlsSeconds) * 1000, secureContext: trust.others() }
      : { timeout: dialSeconds * 1000 },
    requestTls: { timeout: tlsSeconds * 1000, secureContext: context() },
    factory: (origin, options) =>
      new Pool(origin, Object.assign({}, options, poolOptions(timeouts))),
    // The connection that CONNECT is sent on: a proxy that takes it and stays silent is a failed dial.
    clientFactory: (origin, options) =>
      new Pool(origin, Object.assign({}, options, { headersTimeout: dialSeconds * 1000 })),
  });
}
