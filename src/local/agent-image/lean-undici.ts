// The agent's HTTP client without what it has no use for: fetch, web sockets, caches, mocks. They are a third of
// the bundle, and a fifth of the time that the agent takes to start. For esbuild; undici's version is pinned, and a
// file that it moves fails the build.

import { createRequire } from "node:module";
import { dirname } from "node:path";

export interface Bundling {
  onResolve(
    options: { readonly filter: RegExp },
    found: () => { readonly path: string; readonly namespace: string },
  ): void;
  onLoad(
    options: { readonly filter: RegExp; readonly namespace: string },
    load: () => { readonly contents: string; readonly resolveDir: string },
  ): void;
}

/** What src/gitlab imports. Requests always name their dispatcher, so there is none for all of the process. */
const contents = `
const Dispatcher = require("./lib/dispatcher/dispatcher");
Dispatcher.prototype.request = require("./lib/api/api-request");
module.exports = {
  Dispatcher,
  Agent: require("./lib/dispatcher/agent"),
  Pool: require("./lib/dispatcher/pool"),
  ProxyAgent: require("./lib/dispatcher/proxy-agent"),
  buildConnector: require("./lib/core/connect"),
  request(url, { dispatcher, ...options }) {
    return dispatcher.request({ ...options, origin: url.origin, path: url.pathname + url.search });
  },
};`;

export const leanUndici = {
  name: "lean-undici",
  setup({ onResolve, onLoad }: Bundling): void {
    const namespace = "lean-undici";
    onResolve({ filter: /^undici$/ }, () => ({ path: "undici", namespace }));
    onLoad({ filter: /./, namespace }, () => ({
      contents,
      resolveDir: dirname(createRequire(import.meta.url).resolve("undici/package.json")),
    }));
  },
};
