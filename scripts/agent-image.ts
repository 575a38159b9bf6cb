// Makes the agent's image without a registry, in the engine that DOCKER_HOST names: npm run agent-image.
// With --dockerfile it is the one that the world gets, if the engine can get at its base.

import { exitCodes, reportFailure } from "../src/cli/exit.ts";
import { packageVersion } from "../src/cli/package-version.ts";
import { defaultLayerFolder } from "../src/local/agent-image/debian-layer.ts";
import { agentImageName, ensureAgentImage } from "../src/local/agent-image/ensure-agent-image.ts";
import { connectEngine } from "../src/local/docker/engine.ts";

async function main(): Promise<void> {
  const name = agentImageName(packageVersion());
  const image = await ensureAgentImage(await connectEngine(process.env), {
    name,
    sources: process.argv.includes("--dockerfile") ? ["dockerfile"] : ["debian"],
    layerFolder: defaultLayerFolder(process.env),
    notice: console.log,
  });
  if (image.kind === "ready") {
    console.log(`${name}: ${image.made === undefined ? "is there already" : "made"}`);
  } else {
    console.error(image.message);
    process.exitCode = exitCodes.failed;
  }
}

await main().catch(reportFailure);
