// Gives an engine the test images that it lacks.

import type { LayerCache } from "../../src/local/agent-image/debian-layer.ts";
import { loadImages } from "../../src/local/agent-image/load-images.ts";
import type { Engine } from "../../src/local/docker/engine.ts";
import { assemble, testImages } from "./images.ts";

/** Names of those that were not there before. */
export async function ensureTestImages(
  engine: Engine,
  cache: LayerCache,
): Promise<readonly string[]> {
  const images = [];
  for (const recipe of testImages) images.push(await assemble(recipe, cache));
  return await loadImages(engine, images);
}
