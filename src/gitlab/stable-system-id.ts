// The id of a runner manager that has no machine: the same for one runner of one deployment, whichever function asks,
// for GitLab counts managers by it.

import { createHash } from "node:crypto";

/** `place` tells one deployment and runner from every other. */
export function stableSystemId(place: string): string {
  return `s_${createHash("sha256").update(`gitlab-burst ${place}`).digest("hex").slice(0, 12)}`;
}

/** Of a runner on AWS: `/gitlab-burst/<env>` and its name. */
export function runnerPlace(path: string, runner: string): string {
  return `${path} ${runner}`;
}
