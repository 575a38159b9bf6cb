// Where this package's built parts lie: found from the module itself, whether it runs from the sources or from
// node_modules of somebody's app, so that nothing has to be bundled there.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { SettingsError } from "../src/core/errors.ts";

export const functionNames = ["poller", "launcher", "reaper", "sweeper"] as const;
export type FunctionName = (typeof functionNames)[number];

export interface Bundles {
  /** Folder of a function's code. */
  readonly functions: Readonly<Record<FunctionName, string>>;
  /** Files of the agent's image. */
  readonly agent: { readonly dockerfile: string; readonly folder: string };
}

/** The package's own folder with what `npm run build` makes. */
export function ownDist(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return join(folder, "dist");
}

/** Throws where the build is missing. */
export function findBundles(dist: string): Bundles {
  const functionFolder = (name: FunctionName) => {
    const folder = join(dist, "functions", name);
    demand(join(folder, "index.mjs"), folder);
    return folder;
  };
  const agent = { dockerfile: join(dist, "agent", "Dockerfile"), folder: join(dist, "bundles") };
  demand(agent.dockerfile, agent.dockerfile);
  demand(join(agent.folder, "agent.mjs"), agent.folder);
  return {
    functions: {
      poller: functionFolder("poller"),
      launcher: functionFolder("launcher"),
      reaper: functionFolder("reaper"),
      sweeper: functionFolder("sweeper"),
    },
    agent,
  };
}

function demand(file: string, what: string): void {
  if (existsSync(file)) return;
  throw new SettingsError(`${what} has not been built: run npm run build`);
}
