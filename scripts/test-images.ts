// Makes the images that tests and examples run in, without a registry, in the engine that DOCKER_HOST names:
// npm run test-images.

import { reportFailure } from "../src/cli/exit.ts";
import { defaultLayerFolder } from "../src/local/agent-image/debian-layer.ts";
import { connectEngine } from "../src/local/docker/engine.ts";
import { ensureTestImages } from "./test-images/ensure.ts";
import { testImages } from "./test-images/images.ts";

async function main(): Promise<void> {
  const engine = await connectEngine(process.env);
  const folder = defaultLayerFolder(process.env);
  const loaded = new Set(await ensureTestImages(engine, { folder, notice: console.log }));
  for (const name of testImages.flatMap(({ names }) => names)) {
    console.log(`${name}: ${loaded.has(name) ? "made" : "is there already"}`);
  }
}

await main().catch(reportFailure);
