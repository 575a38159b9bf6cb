// Which image a name stands for on AWS: the settings' own rewriting first, else Docker's official images from
// the place that does not count strangers' pulls.

import { fullName, officialName, readReference } from "./image-reference.ts";
import type { ImageReference } from "./image-reference.ts";

export interface RewriteSettings {
  readonly image_rewrites: Readonly<Record<string, string>>;
  readonly official_images_from: string;
}

/** The name to pull, the given one where nothing applies. */
export function rewriteImage(image: ImageReference, settings: RewriteSettings): string {
  const rewrites = Object.entries(settings.image_rewrites);
  const whole = fullName(image);
  const exact = rewrites.find(([from]) => from === image.name || fullNameOf(from) === whole);
  if (exact !== undefined) return exact[1];

  const beginnings = rewrites.filter(([from]) => from.endsWith("/") && image.name.startsWith(from));
  const longest = beginnings.toSorted(([left], [right]) => right.length - left.length)[0];
  if (longest !== undefined) return longest[1] + image.name.slice(longest[0].length);

  const official = officialName(image);
  if (official === undefined || settings.official_images_from === "") return image.name;
  return `${settings.official_images_from.replace(/\/+$/, "")}/${official}`;
}

function fullNameOf(name: string): string {
  const read = readReference(name);
  return read.kind === "reference" ? fullName(read.reference) : name;
}
