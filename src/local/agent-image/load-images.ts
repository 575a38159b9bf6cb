// Gives an engine the images that it does not have yet. What an image was made of is in a label, so that
// an image of the same name but of other parts is seen, and replaced.

import { SettingsError } from "../../core/errors.ts";
import type { Engine } from "../docker/engine.ts";
import { engineError } from "./engine-progress.ts";
import { imageArchive, sha256 } from "./image-archive.ts";
import type { Image } from "./image-archive.ts";

export const madeOfLabel = "com.gitlab-burst.made-of";

/** Names of the images that were not there before. An image of that name that others made is never replaced. */
export async function loadImages(
  engine: Engine,
  images: readonly Image[],
): Promise<readonly string[]> {
  const labelled = images.map(withMadeOf);
  const missing: Image[] = [];
  for (const image of labelled) {
    const wanted = image.config.Labels?.[madeOfLabel];
    const found = await Promise.all(image.names.map((name) => findImage(engine, name)));
    const foreign = image.names.find((_, index) => found[index]?.madeOf === "");
    if (foreign !== undefined) {
      throw new SettingsError(
        `the engine has an image ${foreign} that is not of our making: take another engine, or remove that image first`,
      );
    }
    if (found.some((image) => image?.madeOf !== wanted)) missing.push(image);
  }
  if (missing.length === 0) return [];
  const names = missing.flatMap(({ names }) => names);
  const answer = await engine.loadImage(imageArchive(missing), { quiet: true });
  const error = await engineError(answer);
  if (error !== undefined) throw new Error(`the engine cannot load ${names.join(", ")}: ${error}`);
  return names;
}

function withMadeOf(image: Image): Image {
  if (image.config.Labels?.[madeOfLabel] !== undefined) return image;
  const parts = sha256(JSON.stringify([image.layers.map(({ digest }) => digest), image.config]));
  const Labels = { ...image.config.Labels, [madeOfLabel]: parts };
  return { ...image, config: { ...image.config, Labels } };
}

export interface FoundImage {
  readonly id: string;
  /** Empty: it is not of our making. */
  readonly madeOf: string;
}

export async function findImage(engine: Engine, name: string): Promise<FoundImage | undefined> {
  try {
    const { Id, Config } = await engine.getImage(name).inspect();
    return { id: Id, madeOf: Config.Labels?.[madeOfLabel] ?? "" };
  } catch (cause) {
    if (isNotFound(cause)) return undefined;
    throw cause;
  }
}

function isNotFound(cause: unknown): boolean {
  return cause instanceof Error && "statusCode" in cause && cause.statusCode === 404;
}
