// Our version, from the package's own manifest: two folders up in a checkout, three in the built package.

import { existsSync, readFileSync } from "node:fs";
import * as z from "zod";

const manifest = z.object({ name: z.literal("gitlab-burst"), version: z.string() });

export function packageVersion(): string {
  for (const above of ["../../package.json", "../../../package.json"]) {
    const path = new URL(above, import.meta.url);
    if (!existsSync(path)) continue;
    const parsed = manifest.safeParse(JSON.parse(readFileSync(path, "utf8")));
    if (parsed.success) return parsed.data.version;
  }
  throw new Error("gitlab-burst's package.json is missing: install the package again");
}
