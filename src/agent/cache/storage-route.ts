// The way to object storage: direct, or through the proxy that the environment names, with the machine's certificates.
// By Node's own HTTP client, not by the one that speaks to GitLab: that one ends the process where a server closes the
// connection while an answer is still being written to a slow disk (nodejs/undici#5360).

import * as http from "node:http";
import * as https from "node:https";
import * as tls from "node:tls";
import { isIP } from "node:net";
import type { Socket } from "node:net";
import { proxyFor } from "../../gitlab/proxy.ts";
import type { Environment } from "../../gitlab/proxy.ts";
import type { Trust } from "../../gitlab/trust.ts";

export interface StorageNetwork {
  readonly trust: Trust;
  /** Where proxies are looked up. */
  readonly env: Environment;
}

export interface StorageRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** The longest silence of a connection, from the first packet on. */
const silenceMilliseconds = 60_000;

/** A request on a connection of its own, not yet ended. Its errors come out of it, and of `signal`. */
export async function openRequest(
  network: StorageNetwork,
  { method, url, headers, signal }: StorageRequest,
): Promise<http.ClientRequest> {
  const proxy = proxyFor(url, network.env);
  const common = { method, headers, signal, timeout: silenceMilliseconds };
  const path = `${url.pathname}${url.search}`;
  const place = { host: bareHost(url), port: url.port, path };
  if (url.protocol === "http:") {
    if (proxy === undefined) return guarded(http.request({ ...common, ...place, agent: false }));
    // A proxy is asked for the whole address.
    const asked = { ...common, path: url.href, headers: { ...headers, host: url.host } };
    return guarded(requestTo(proxy, network, withAuthorization(proxy, asked)));
  }
  const socket = proxy === undefined ? undefined : await tunnel(proxy, url, network, signal);
  const createConnection = () => secureSocket(url, network, socket);
  return guarded(https.request({ ...common, ...place, createConnection }));
}

/** TLS to the host of `url`, on a connection that is there, or a new one. */
function secureSocket(url: URL, network: StorageNetwork, socket?: Socket): tls.TLSSocket {
  const host = bareHost(url);
  const secure = tls.connect({
    host,
    secureContext: network.trust.others(),
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(socket === undefined ? { port: Number(url.port || 443) } : { socket }),
  });
  return secure.setTimeout(silenceMilliseconds);
}

function guarded(request: http.ClientRequest): http.ClientRequest {
  request.once("timeout", () => {
    const silence = new Error("the connection fell silent");
    request.destroy(Object.assign(silence, { code: "ETIMEDOUT" }));
  });
  return request;
}

function requestTo(
  proxy: URL,
  network: StorageNetwork,
  options: http.RequestOptions,
): http.ClientRequest {
  const place = { ...options, host: bareHost(proxy), port: proxy.port };
  if (proxy.protocol === "http:") return http.request({ ...place, agent: false });
  const createConnection = () => secureSocket(proxy, network);
  return https.request({ ...place, createConnection });
}

async function tunnel(
  proxy: URL,
  url: URL,
  network: StorageNetwork,
  signal: AbortSignal,
): Promise<Socket> {
  const target = `${url.hostname}:${url.port === "" ? "443" : url.port}`;
  const options = { method: "CONNECT", path: target, headers: { host: target }, signal };
  const asked = withAuthorization(proxy, { ...options, timeout: silenceMilliseconds });
  const request = guarded(requestTo(proxy, network, asked));
  return await new Promise((resolve, reject) => {
    request.once("error", reject);
    request.once("response", (answer) => {
      request.destroy();
      reject(new Error(`Proxy response (${answer.statusCode ?? 0}) to CONNECT`));
    });
    request.once("connect", (answer, socket: Socket) => {
      if (answer.statusCode === 200) resolve(socket);
      else {
        socket.destroy();
        reject(new Error(`Proxy response (${answer.statusCode ?? 0}) to CONNECT`));
      }
    });
    request.end();
  });
}

function withAuthorization(
  proxy: URL,
  options: http.RequestOptions & { readonly headers: Readonly<Record<string, string>> },
): http.RequestOptions {
  if (proxy.username === "" && proxy.password === "") return options;
  const pair = [proxy.username, proxy.password].map(decodeURIComponent).join(":");
  const authorization = `Basic ${Buffer.from(pair).toString("base64")}`;
  return { ...options, headers: { ...options.headers, "proxy-authorization": authorization } };
}

/** Without the brackets of an IPv6 address, as sockets want it. */
function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}
