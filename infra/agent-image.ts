// The agent's image for each kind of processor: built from the package's Dockerfile when the app is deployed (that
// takes Docker; synthesizing does not), or given by address.

import { copyFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { FileSystem, Stack } from "aws-cdk-lib";
import { DockerImageAsset, Platform } from "aws-cdk-lib/aws-ecr-assets";
import { Construct } from "constructs";
import { SettingsError } from "../src/core/errors.ts";
import type { Architecture } from "../src/core/settings-task.ts";
import type { Bundles } from "./bundles.ts";

/** Addresses by architecture, or one for an image that is made for all of them. */
export type AgentImage = string | Readonly<Partial<Record<Architecture, string | undefined>>>;

const platforms: Readonly<Record<Architecture, Platform>> = {
  x86_64: Platform.LINUX_AMD64,
  arm64: Platform.LINUX_ARM64,
};

export class AgentImages extends Construct {
  /** JSON for the functions: addresses by architecture. */
  readonly json: string;

  constructor(
    scope: Construct,
    id: string,
    architectures: readonly Architecture[],
    source: AgentImage | (() => Bundles["agent"]),
  ) {
    super(scope, id);
    const addresses = architectures.map((architecture) => [
      architecture,
      typeof source === "function"
        ? this.build(architecture, source())
        : givenAddress(architecture, source),
    ]);
    this.json = Stack.of(this).toJsonString(Object.fromEntries(addresses));
  }

  private build(architecture: Architecture, agent: Bundles["agent"]): string {
    const asset = new DockerImageAsset(this, architecture, {
      directory: dockerFolder(agent),
      platform: platforms[architecture],
      displayName: `gitlab-burst agent ${architecture}`,
    });
    return asset.imageUri;
  }
}

/** The Dockerfile is not in the folder of what it copies, and an asset wants it there. */
function dockerFolder(agent: Bundles["agent"]): string {
  const folder = FileSystem.mkdtemp("gitlab-burst-agent-");
  for (const name of readdirSync(agent.folder).filter((name) => name.startsWith("agent.mjs"))) {
    copyFileSync(join(agent.folder, name), join(folder, name));
  }
  copyFileSync(agent.dockerfile, join(folder, "Dockerfile"));
  return folder;
}

function givenAddress(architecture: Architecture, image: AgentImage): string {
  const address = typeof image === "string" ? image : image[architecture];
  if (address !== undefined) return address;
  throw new SettingsError(
    `agentImage: has no address for ${architecture}, which architectures asks for`,
  );
}
