// All assertions: as many as docs/unproven.md has lines, by the same names.

import type { Belief } from "./belief.ts";
import { insideBeliefs } from "./inside-beliefs.ts";
import { stackBeliefs } from "./stack-beliefs.ts";
import { startBeliefs } from "./start-beliefs.ts";
import { stopBeliefs } from "./stop-beliefs.ts";
import { storageBeliefs } from "./storage-beliefs.ts";

export const beliefs: readonly Belief[] = [
  ...startBeliefs,
  ...insideBeliefs,
  ...stopBeliefs,
  ...storageBeliefs,
  ...stackBeliefs,
];
