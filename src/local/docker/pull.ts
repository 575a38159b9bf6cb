// Gets a container's image by the policies of its plan, each tried in turn, with the login that the plan chose.

import { pullFailureReason } from "../../core/pull-failure.ts";
import type { ContainerPlan } from "../../core/task-plan.ts";
import type { Trouble } from "../executor.ts";
import { engineError } from "../agent-image/engine-progress.ts";
import { engineText } from "./engine-call.ts";
import type { Engine } from "./engine.ts";

export interface PulledImage {
  readonly id: string;
  readonly exposedPorts: readonly string[];
}

export type Pull =
  | { readonly kind: "image"; readonly image: PulledImage }
  | { readonly kind: "trouble"; readonly trouble: Trouble };

export interface PullInput {
  readonly engine: Engine;
  readonly container: ContainerPlan;
  /** Hears what is going on, a line at a time. */
  readonly notice: (text: string) => void;
  /** Ends a pull: nobody needs the image any more. */
  readonly over: AbortSignal;
}

export async function pullImage(input: PullInput): Promise<Pull> {
  const { engine, container, notice, over } = input;
  const { image, pullPolicies } = container;
  let failure: Trouble = {
    reason: "runner_configuration_error",
    message: `there is no pull policy for image ${image}`,
  };
  for (const [index, policy] of pullPolicies.entries()) {
    if (over.aborted) break;
    if (index > 0) notice(`Trying the next pull policy for ${image}: ${policy}`);
    const local = policy === "always" ? undefined : await inspect(engine, image);
    if (local !== undefined) {
      notice(
        `Using locally found image ${image} (${shortId(local.id)}) due to ${policy} pull policy`,
      );
      return { kind: "image", image: local };
    }
    if (policy === "never") {
      failure = {
        reason: "runner_configuration_error",
        message:
          `image ${image} is not on this machine, and the pull policy is never: make or load it there, or allow another ` +
          "policy (pull_policy in the runner's settings)",
      };
      continue;
    }
    notice(`Pulling docker image ${image} ...`);
    const started = performance.now();
    const refused = await pull(input);
    const pulled = refused === undefined ? await inspect(engine, image) : undefined;
    if (pulled !== undefined) {
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      notice(`Using docker image ${shortId(pulled.id)} for ${image}, pulled in ${seconds} s`);
      return { kind: "image", image: pulled };
    }
    const text = refused ?? "the engine does not have it after the pull";
    failure = {
      reason: pullFailureReason(text),
      message: `failed to pull image ${image}: ${text}`,
    };
  }
  return { kind: "trouble", trouble: failure };
}

/** Undefined when it worked, else what the registry or the engine said. */
async function pull({ engine, container, over }: PullInput): Promise<string | undefined> {
  const { login, platform, image } = container;
  const authconfig =
    login?.kind === "login"
      ? {
          username: login.username,
          password: login.password.reveal(),
          serveraddress: login.registry,
        }
      : undefined;
  try {
    const progress = await engine.pull(withTag(image), {
      ...(platform === "" ? {} : { platform }),
      ...(authconfig === undefined ? {} : { authconfig }),
      abortSignal: over,
    });
    // An engine that nobody listens to any more ends the pull by itself.
    const stopped = new Promise<string>((resolve) => {
      over.addEventListener("abort", () => resolve("the job is over"), { once: true });
    });
    return await Promise.race([engineError(progress), stopped]);
  } catch (cause) {
    return engineText(cause);
  }
}

/** Without a tag an engine pulls all there are. */
function withTag(image: string): string {
  const name = image.slice(image.lastIndexOf("/") + 1);
  return name.includes(":") || name.includes("@") ? image : `${image}:latest`;
}

async function inspect(engine: Engine, image: string): Promise<PulledImage | undefined> {
  try {
    const found = await engine.getImage(image).inspect();
    return { id: found.Id, exposedPorts: Object.keys(found.Config?.ExposedPorts ?? {}) };
  } catch {
    return undefined;
  }
}

function shortId(id: string): string {
  return id.slice(0, "sha256:".length + 12);
}
