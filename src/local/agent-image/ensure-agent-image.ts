// Makes the agent's image where the engine does not have it: on first use, and again whenever the agent is
// another one. By the Dockerfile where the engine can get at Alpine's Node, else from Debian packages.

import { Readable } from "node:stream";
import type { Engine } from "../docker/engine.ts";
import { agentBundle, agentDockerfile } from "./agent-bundle.ts";
import { cannotUseDebian, debianAgent } from "./debian-agent.ts";
import { engineError } from "./engine-progress.ts";
import { sha256 } from "./image-archive.ts";
import { findImage, loadImages, madeOfLabel } from "./load-images.ts";
import type { FoundImage } from "./load-images.ts";
import { tarArchive } from "./tar-archive.ts";

export type AgentImageSource = "dockerfile" | "debian";

export interface AgentImageOptions {
  /** With its tag. */
  readonly name: string;
  /** The ways to make it, in the order they are tried. */
  readonly sources: readonly AgentImageSource[];
  /** Of the Dockerfile; by default its own. */
  readonly base?: string;
  /** Where layers of Debian packages are kept. */
  readonly layerFolder: string;
  /** Hears of what takes long. */
  readonly notice: (text: string) => void;
}

export type AgentImage =
  /** It is there; `made` says by whom just now. */
  | { readonly kind: "ready"; readonly made: AgentImageSource | undefined }
  | { readonly kind: "unavailable"; readonly message: string };

export function agentImageName(version: string): string {
  return `gitlab-burst-agent:${version}`;
}

export async function ensureAgentImage(
  engine: Engine,
  options: AgentImageOptions,
): Promise<AgentImage> {
  const [bundle, dockerfile] = await Promise.all([agentBundle(), agentDockerfile()]);
  const parts = [...bundle].map(([name, content]) => [name, sha256(content)]);
  const wanted = sha256(JSON.stringify([parts, sha256(dockerfile), options.base]));
  const previous = await findImage(engine, options.name);
  // One that somebody else made, or pulled, is theirs to choose.
  if (previous?.madeOf === wanted || previous?.madeOf === "") {
    return { kind: "ready", made: undefined };
  }
  const troubles: string[] = [];
  for (const source of options.sources) {
    const make = { engine, options, bundle, dockerfile, wanted };
    const trouble = source === "debian" ? await fromDebian(make) : await fromDockerfile(make);
    if (trouble === undefined) {
      await forget(engine, previous);
      return { kind: "ready", made: source };
    }
    troubles.push(trouble);
  }
  return {
    kind: "unavailable",
    message: `cannot make the agent's image ${options.name}:\n${troubles.join("\n")}`,
  };
}

interface Make {
  readonly engine: Engine;
  readonly options: AgentImageOptions;
  readonly bundle: ReadonlyMap<string, Uint8Array>;
  readonly dockerfile: Uint8Array;
  readonly wanted: string;
}

/** Undefined when it worked, else why it did not. */
async function fromDockerfile(make: Make): Promise<string | undefined> {
  const { engine, options, bundle, dockerfile, wanted } = make;
  options.notice(`building ${options.name} by its Dockerfile`);
  const context = tarArchive([
    { path: "Dockerfile", content: dockerfile },
    ...[...bundle].map(([path, content]) => ({ path, content })),
  ]);
  try {
    const answer = await engine.buildImage(Readable.from([context]), {
      t: options.name,
      labels: { [madeOfLabel]: wanted },
      ...(options.base === undefined ? {} : { buildargs: { BASE: options.base } }),
      rm: true,
      forcerm: true,
    });
    const error = await engineError(answer);
    return error === undefined ? undefined : `by its Dockerfile: ${error}`;
  } catch (cause) {
    return `by its Dockerfile: ${messageOf(cause)}`;
  }
}

async function fromDebian(make: Make): Promise<string | undefined> {
  const { engine, options, bundle, wanted } = make;
  try {
    const { Architecture } = (await engine.info()) as { readonly Architecture: string };
    const obstacle = cannotUseDebian(Architecture);
    if (obstacle !== undefined) return `from Debian packages: ${obstacle}`;
    const cache = { folder: options.layerFolder, notice: options.notice };
    const image = await debianAgent(options.name, bundle, cache);
    const Labels = { [madeOfLabel]: wanted };
    await loadImages(engine, [{ ...image, config: { ...image.config, Labels } }]);
    return undefined;
  } catch (cause) {
    return `from Debian packages: ${messageOf(cause)}`;
  }
}

/** An image that lost its name to a newer one; kept where it has another name or a container. */
async function forget(engine: Engine, previous: FoundImage | undefined): Promise<void> {
  if (previous === undefined) return;
  await engine
    .getImage(previous.id)
    .remove()
    .catch(() => undefined);
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
