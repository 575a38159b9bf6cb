// Before the container tests: an engine (the one that DOCKER_HOST names, else one of their own) with all images.
// Where that cannot be had the tests fail, and this says what is missing: none is ever skipped.

import { packageVersion } from "../../src/cli/package-version.ts";
import { defaultLayerFolder } from "../../src/local/agent-image/debian-layer.ts";
import {
  agentImageName,
  ensureAgentImage,
} from "../../src/local/agent-image/ensure-agent-image.ts";
import { connectEngine } from "../../src/local/docker/engine.ts";
import { ensureTestImages } from "../../scripts/test-images/ensure.ts";
import { startEngine } from "../harness/engine.ts";
import type { TestEngine } from "../harness/engine.ts";

let ours: TestEngine | undefined;

export async function setup(): Promise<void> {
  if ((process.env["DOCKER_HOST"] ?? "") === "") {
    ours = await startEngine();
    // Inherited by the processes that run the tests.
    process.env["DOCKER_HOST"] = ours.host;
  }
  try {
    await makeImages();
  } catch (cause) {
    await teardown();
    throw cause;
  }
}

async function makeImages(): Promise<void> {
  const engine = await connectEngine(process.env);
  const layerFolder = defaultLayerFolder(process.env);
  const notice = (text: string) => process.stdout.write(`${text}\n`);
  await ensureTestImages(engine, { folder: layerFolder, notice });
  const name = agentImageName(packageVersion());
  const agent = await ensureAgentImage(engine, { name, sources: ["debian"], layerFolder, notice });
  if (agent.kind === "unavailable") throw new Error(agent.message);
}

export async function teardown(): Promise<void> {
  await ours?.close();
}
