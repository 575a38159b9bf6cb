// What a demo project needs of the machine, asked before it runs: `burst-demo.yml` in its folder.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import * as z from "zod";
import { SettingsError } from "../../core/errors.ts";

const needsSchema = z.strictObject({
  needs: z.array(
    z.strictObject({
      /** A shell command that succeeds where the need is met. */
      probe: z.string(),
      /** What is missing otherwise, and how to get it, in one line. */
      missing: z.string(),
    }),
  ),
});

/** The first thing the machine lacks for this project; undefined if it has all. */
export function missingFor(folder: string): string | undefined {
  const path = join(folder, "burst-demo.yml");
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
  const parsed = needsSchema.safeParse(parse(text));
  if (!parsed.success) {
    const places = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    throw new SettingsError(`${path}: ${places.join("; ")}`);
  }
  const unmet = parsed.data.needs.find(
    ({ probe }) => spawnSync("/bin/sh", ["-c", probe], { stdio: "ignore" }).status !== 0,
  );
  return unmet?.missing;
}
