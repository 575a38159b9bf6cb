// Which proxy a URL goes through, by the rules of Go's HTTP client, which users of GitLab's own runner
// know: HTTP_PROXY for http, HTTPS_PROXY for https (none stands in for the other), never for
// loopback, and NO_PROXY with names, `.suffixes`, addresses, networks (CIDR), ports, or `*`.

import { BlockList, isIP } from "node:net";
import { SettingsError } from "../core/errors.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export function proxyFor(url: URL, env: Environment): URL | undefined {
  const names =
    url.protocol === "https:" ? ["HTTPS_PROXY", "https_proxy"] : ["HTTP_PROXY", "http_proxy"];
  const name = names.find((candidate) => (env[candidate] ?? "") !== "");
  if (name === undefined) return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  if (isLoopback(host) || isExempt(host, port, env["NO_PROXY"] || env["no_proxy"] || "")) {
    return undefined;
  }
  return parseProxy(name, env[name] ?? "");
}

function parseProxy(name: string, value: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  let proxy: URL;
  try {
    proxy = new URL(text);
  } catch {
    throw new SettingsError(
      `The environment variable ${name} is not the URL of a proxy: give one like http://proxy.example.com:3128.`,
    );
  }
  if (proxy.protocol !== "http:" && proxy.protocol !== "https:") {
    throw new SettingsError(
      `The environment variable ${name} names a proxy of kind ${proxy.protocol.slice(0, -1)}: only http and https proxies are possible.`,
    );
  }
  return proxy;
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

function isLoopback(host: string): boolean {
  return host === "localhost" || within(loopback, host);
}

function within(list: BlockList, host: string): boolean {
  const version = isIP(host);
  return version !== 0 && list.check(host, version === 6 ? "ipv6" : "ipv4");
}

function isExempt(host: string, port: string, noProxy: string): boolean {
  return noProxy
    .split(",")
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== "")
    .some((entry) => entry === "*" || matches(entry, host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  const network = /^([^/]+)\/(\d+)$/.exec(entry);
  if (network !== null) return inNetwork(network[1] ?? "", Number(network[2]), host);
  const { name, onlyPort } = splitPort(entry);
  if (onlyPort !== undefined && onlyPort !== port) return false;
  if (isIP(name) !== 0) return name === host;
  const suffix = name.replace(/^\*(?=\.)/, "");
  return suffix.startsWith(".")
    ? host.endsWith(suffix)
    : host === suffix || host.endsWith(`.${suffix}`);
}

function inNetwork(address: string, prefix: number, host: string): boolean {
  const version = isIP(address);
  if (version === 0 || prefix > (version === 6 ? 128 : 32)) return false;
  const list = new BlockList();
  list.addSubnet(address, prefix, version === 6 ? "ipv6" : "ipv4");
  return within(list, host);
}

function splitPort(entry: string): { name: string; onlyPort: string | undefined } {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(entry);
  if (bracketed !== null) return { name: bracketed[1] ?? "", onlyPort: bracketed[2] };
  if (isIP(entry) === 6) return { name: entry, onlyPort: undefined };
  const [, name = entry, onlyPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  return { name, onlyPort };
}
