// Removes what a runner left in the engine when it was killed: containers and volumes that carry our label and
// whose owner does not live any more.

import type { Engine } from "./engine.ts";
import { isLiving, ownerLabel } from "./labels.ts";

export async function sweepEngine(engine: Engine, say: (text: string) => void): Promise<void> {
  const filters = { label: [ownerLabel] };
  const containers = await engine.listContainers({ all: true, filters });
  let swept = 0;
  for (const { Id, Labels } of containers) {
    if (await isLiving(Labels[ownerLabel] ?? "")) continue;
    await engine.getContainer(Id).remove({ force: true, v: true }).catch(isGone);
    swept++;
  }
  const { Volumes } = await engine.listVolumes({ filters });
  for (const { Name, Labels } of Volumes ?? []) {
    if (await isLiving(Labels?.[ownerLabel] ?? "")) continue;
    await engine.getVolume(Name).remove().catch(isGone);
  }
  if (swept > 0) say(`removed ${swept} containers that an earlier run left behind`);
}

/** Somebody else was faster: what was wanted. */
export function isGone(cause: unknown): void {
  const status =
    typeof cause === "object" && cause !== null && "statusCode" in cause ? cause.statusCode : 0;
  if (status !== 404 && status !== 409) throw cause;
}
