// Images as Fargate gets them: always from a registry, with the login that the definition names. An engine of the
// tests' own has no way to the world's registries, so what lies in it stands for what they hold.

import type Docker from "dockerode";

export interface PulledImage {
  readonly id: string;
  readonly volumes: readonly string[];
}

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** By an image's name in a definition, the one that the engine holds in its place. */
export type Aliases = Readonly<Record<string, string>>;

/** Names under which the engine may hold what the image stands for. */
function localNames(image: string, aliases: Aliases): readonly string[] {
  const plain = image.replace(/^public\.ecr\.aws\/docker\/library\//, "");
  const names = [aliases[image] ?? image, plain];
  return names.map((name) => (/[:@][^/]+$/.test(name) ? name : `${name}:latest`));
}

/** Throws ECS's words for a pull that failed. */
export async function pullImage(
  engine: Docker,
  image: string,
  login: Login | undefined,
  aliases: Aliases = {},
): Promise<PulledImage> {
  const names = localNames(image, aliases);
  for (const name of names) {
    const found = await inspect(engine, name);
    if (found !== undefined) return found;
  }
  const name = names[0] ?? image;
  const trouble = await pull(engine, name, login);
  const found = trouble === undefined ? await inspect(engine, name) : undefined;
  if (found !== undefined) return found;
  throw new Error(
    `CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref ${name}: ${trouble ?? "not found"}`,
  );
}

async function pull(
  engine: Docker,
  name: string,
  login: Login | undefined,
): Promise<string | undefined> {
  try {
    const progress = await engine.pull(name, login === undefined ? {} : { authconfig: login });
    return await new Promise((resolve) => {
      engine.modem.followProgress(progress, (error, output?: readonly { error?: string }[]) => {
        resolve(error?.message ?? output?.find((line) => line.error !== undefined)?.error);
      });
    });
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
}

async function inspect(engine: Docker, name: string): Promise<PulledImage | undefined> {
  try {
    const { Id, Config } = await engine.getImage(name).inspect();
    return { id: Id, volumes: Object.keys(Config.Volumes ?? {}) };
  } catch {
    return undefined;
  }
}
