// Our version, from the package's own manifest: two folders up, in a checkout as in the built package.

import { readFileSync } from "node:fs";
import * as z from "zod";

const manifest = z.object({ name: z.literal("gitlab-burst"), version: z.string() });

export function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return manifest.parse(JSON.parse(text)).version;
}
