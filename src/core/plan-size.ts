// How a task's memory is shared out, and which processors it gets.

import { parseArchitecture } from "./burst-variables.ts";
import type { TaskShape } from "./burst-variables.ts";
import type { PlannedImage } from "./image.ts";
import { refusal } from "./refusal.ts";
import type { Refusal } from "./refusal.ts";
import type { Architecture } from "./settings-task.ts";
import type { Settings } from "./settings.ts";
import { memoryText } from "./size.ts";
import type { Size } from "./size.ts";

export const agentMemoryMiB = 256;

/** The job's hard limit: what its agent leaves. Tasks too small for both exist on docker only. */
export function jobMemoryMiB(size: Size): number {
  return size.memoryMiB < 2 * agentMemoryMiB ? size.memoryMiB : size.memoryMiB - agentMemoryMiB;
}

/** ECS takes no task whose containers are promised more than it has. */
export function refuseOverbooked(
  size: Size,
  services: number,
  settings: Settings,
): Refusal | undefined {
  const { memory_reservation, service_memory, service_memory_reservation } = settings;
  const promised = memory_reservation + services * service_memory_reservation + agentMemoryMiB;
  const kept = memory_reservation + services * service_memory_reservation;
  if (kept > 0 && promised > size.memoryMiB) {
    return refusal(
      `The runner's settings keep ${memoryText(promised)} free for the job's containers (memory_reservation, ` +
        `service_memory_reservation and the agent's), and its task has ${memoryText(size.memoryMiB)}. ` +
        "Ask for more by BURST_MEMORY",
    );
  }
  if (services > 0 && service_memory > size.memoryMiB) {
    return refusal(
      `The runner's settings give each service ${memoryText(service_memory)} (service_memory), and the job's ` +
        `task has ${memoryText(size.memoryMiB)}. Ask for more by BURST_MEMORY`,
    );
  }
  return undefined;
}

type Chosen = { readonly kind: "architecture"; readonly architecture: Architecture } | Refusal;

/** All containers of a Fargate task share one kind of processor: what the job says, its images, the settings. */
export function chooseArchitecture(
  shape: TaskShape,
  images: readonly PlannedImage[],
  settings: Settings,
): Chosen {
  let chosen = shape.architecture;
  let because = "BURST_ARCH";
  for (const { platform, requested } of images) {
    if (platform === "") continue;
    const architecture = platformArchitecture(platform);
    if (architecture === undefined) {
      return refusal(
        `The image ${requested.name} asks for the platform ${platform}, which Fargate does not have for jobs: ` +
          "it has linux/amd64 and linux/arm64",
      );
    }
    if (architecture !== "any" && chosen !== undefined && chosen !== architecture) {
      return refusal(
        `The image ${requested.name} asks for the platform ${platform}, and ${because} for ${chosen}: ` +
          "all containers of a task on Fargate share their processors",
      );
    }
    if (architecture === "any" || chosen === architecture) continue;
    chosen = architecture;
    because = `the image ${requested.name}`;
  }
  const architecture = chosen ?? settings.architecture;
  const free = settings.allowed_burst_variables.includes("BURST_ARCH");
  if (architecture !== settings.architecture && !free) {
    return refusal(
      `This runner runs jobs on ${settings.architecture} only, and ${because} asks for ${architecture}. ` +
        "Remove that, or have BURST_ARCH allowed by allowed_burst_variables in the runner's settings",
    );
  }
  return { kind: "architecture", architecture };
}

/** `linux/arm64/v8`, `linux/amd64`, `arm64`, `linux`. */
function platformArchitecture(platform: string): Architecture | "any" | undefined {
  const parts = platform.toLowerCase().split("/");
  if (parts.length === 1 && parts[0] === "linux") return "any";
  if (parts.length > 1 && parts[0] !== "linux") return undefined;
  return parseArchitecture(parts[parts.length === 1 ? 0 : 1] ?? "");
}

/** How Docker calls the processors. */
export function platformOf(architecture: Architecture): string {
  return architecture === "arm64" ? "linux/arm64" : "linux/amd64";
}
