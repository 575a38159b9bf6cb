// `stages`: GitLab's own when nothing is said, `.pre` first and `.post` last in any case.

import type { Mistakes } from "./mistakes.ts";
import type { Entry } from "./node.ts";
import { readStrings } from "./read.ts";

export const FIRST_STAGE = ".pre";
export const LAST_STAGE = ".post";
const DEFAULT_STAGES = ["build", "test", "deploy"];

export function readStages(entry: Entry | undefined, mistakes: Mistakes): readonly string[] {
  const named = entry ? readStrings(entry.value, "stages", mistakes) : DEFAULT_STAGES;
  if (entry?.value.kind === "list" && entry.value.items.length === 0)
    mistakes.report(entry.at, "stages", "stages is an empty list; name at least one stage.");
  const middle = named.filter((stage) => stage !== FIRST_STAGE && stage !== LAST_STAGE);
  return [FIRST_STAGE, ...new Set(middle), LAST_STAGE];
}
