// What one line of docs/unproven.md comes to, seen on AWS.

import type { World } from "./world.ts";

export interface Finding {
  /** `unclear`: this account, or this day, does not show it. */
  readonly kind: "held" | "wrong" | "unclear";
  /** What was seen, in one line. */
  readonly seen: string;
}

export interface Belief {
  /** As in docs/unproven.md, which has the sentence. */
  readonly name: string;
  readonly find: (world: World) => Promise<Finding>;
}

export function judge(isHeld: boolean, seen: string): Finding {
  return { kind: isHeld ? "held" : "wrong", seen };
}

export function unclear(seen: string): Finding {
  return { kind: "unclear", seen };
}
