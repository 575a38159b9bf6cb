// Whether a project's jobs can run in containers here: an engine, and every image they name, on this machine.

import type { Engine } from "../../local/docker/engine.ts";

export interface Containers {
  /** Where containers reach this machine; undefined where that is not known. */
  readonly address: string | undefined;
  /** Whether all of these are there, so that nothing has to be pulled. */
  have(images: readonly string[]): Promise<boolean>;
}

/** Undefined where no engine answers. */
export async function findContainers(): Promise<Containers | undefined> {
  try {
    // Loaded only here: the engine's client is the heaviest of our libraries.
    const { connectEngine } = await import("../../local/docker/engine.ts");
    const { bridgeAddress } = await import("../../local/docker/gitlab-route.ts");
    const engine = await connectEngine(process.env);
    return {
      address: await bridgeAddress(engine),
      async have(images) {
        const found = await Promise.all(images.map((image) => hasImage(engine, image)));
        return images.length > 0 && found.every(Boolean);
      },
    };
  } catch {
    return undefined;
  }
}

async function hasImage(engine: Engine, image: string): Promise<boolean> {
  return await engine
    .getImage(image)
    .inspect()
    .then(
      () => true,
      () => false,
    );
}
