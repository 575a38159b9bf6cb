import { expect, test } from "vitest";
import { proxyFor } from "../../src/gitlab/proxy.ts";

const https = "http://secure-proxy:3128/";
const http = "http://plain-proxy:8080/";
const both = { HTTPS_PROXY: "http://secure-proxy:3128", http_proxy: "plain-proxy:8080" };

test.each<[string, string, Record<string, string>, string | undefined]>([
  ["https goes through HTTPS_PROXY", "https://gitlab.com", both, https],
  ["http goes through http_proxy, whose scheme may be left out", "http://gitlab.com", both, http],
  [
    "HTTP_PROXY does not stand in for HTTPS_PROXY",
    "https://a.com",
    { HTTP_PROXY: http },
    undefined,
  ],
  ["an empty variable is none", "https://a.com", { HTTPS_PROXY: "", https_proxy: https }, https],
  ["no variable, no proxy", "https://a.com", {}, undefined],
  ["localhost is never proxied", "http://localhost:8080", both, undefined],
  ["127.0.0.0/8 is never proxied", "http://127.1.2.3", both, undefined],
  ["::1 is never proxied", "http://[::1]:80", both, undefined],
  ["* exempts everything", "https://a.com", { ...both, NO_PROXY: "x, *" }, undefined],
  ["a name exempts itself", "https://a.com", { ...both, NO_PROXY: "b.com,a.com" }, undefined],
  ["a name exempts its subdomains", "https://x.a.com", { ...both, NO_PROXY: "A.com" }, undefined],
  ["a name exempts no longer name", "https://aa.com", { ...both, NO_PROXY: "a.com" }, https],
  [".name exempts subdomains", "https://x.a.com", { ...both, no_proxy: ".a.com" }, undefined],
  [".name does not exempt the name", "https://a.com", { ...both, no_proxy: ".a.com" }, https],
  ["*.name is .name", "https://x.a.com", { ...both, no_proxy: "*.a.com" }, undefined],
  [
    "name:port exempts that port",
    "https://a.com:8443",
    { ...both, NO_PROXY: "a.com:8443" },
    undefined,
  ],
  ["name:port leaves other ports", "https://a.com", { ...both, NO_PROXY: "a.com:8443" }, https],
  [
    "the default port has its number",
    "https://a.com",
    { ...both, NO_PROXY: "a.com:443" },
    undefined,
  ],
  ["an address exempts itself", "https://10.0.0.7", { ...both, NO_PROXY: "10.0.0.7" }, undefined],
  [
    "a network exempts what is in it",
    "https://10.9.0.7",
    { ...both, NO_PROXY: "10.0.0.0/8" },
    undefined,
  ],
  [
    "a network leaves what is not in it",
    "https://11.0.0.7",
    { ...both, NO_PROXY: "10.0.0.0/8" },
    https,
  ],
  [
    "a network says nothing of names",
    "https://ten.com",
    { ...both, NO_PROXY: "10.0.0.0/8" },
    https,
  ],
  ["a v6 network", "https://[fd00::7]", { ...both, NO_PROXY: "fd00::/8" }, undefined],
  [
    "a v6 address with port",
    "https://[fd00::7]:8443",
    { ...both, NO_PROXY: "[fd00::7]:8443" },
    undefined,
  ],
  ["nonsense exempts nothing", "https://a.com", { ...both, NO_PROXY: "10.0.0.0/99,,:,/" }, https],
])("%s", (_, url, env, expected) => {
  expect(proxyFor(new URL(url), env)?.href).toBe(expected);
});

test.each([
  ["http://user:hunter2@bad host", "HTTPS_PROXY is not the URL of a proxy"],
  ["socks5://proxy:1080", "proxy of kind socks5"],
])("a proxy that cannot be used is refused without its password: %s", (value, said) => {
  const find = () => proxyFor(new URL("https://a.com"), { HTTPS_PROXY: value });
  expect(find).toThrow(said);
  expect(find).not.toThrow("hunter2");
});
