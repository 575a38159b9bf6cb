// An object's name as a path below the cache folder. Every name gets a path of its own, none leads out of the folder,
// and a key that is the beginning of another (`a` and `a/b`) does not get in its way: each has a folder for itself.

import { createHash } from "node:crypto";
import { join } from "node:path";

/** The archive's own name, whatever its format: as GitLab Runner has it. */
export const archiveName = "cache.zip";

/** File systems allow 255 bytes; what is written beside an archive needs a few more. */
const longestName = 200;

export function cachePath(folder: string, objectName: string): string {
  return join(folder, ...objectName.split("/").map(folderName), archiveName);
}

/** Reversible but for long names: `%` and all that is not plain is written as `%XX`. */
function folderName(name: string): string {
  if (name === archiveName || /^\.*$/.test(name)) return percent(name, /[^]/g);
  const plain = percent(name, /[^\w.-]/gu);
  if (plain.length <= longestName) return plain;
  // No plain name begins like this: behind a `%` there are two capital digits.
  return `%sha256-${createHash("sha256").update(name).digest("hex")}`;
}

function percent(name: string, what: RegExp): string {
  return name.replace(what, (character) =>
    Array.from(
      Buffer.from(character),
      (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
    ).join(""),
  );
}
