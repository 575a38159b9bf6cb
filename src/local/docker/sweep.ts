// Removes what a runner left in the engine when it was killed: containers and volumes that carry our label and
// whose owner does not live any more.

import type { Engine } from "./engine.ts";
import { isLiving, ownerLabel } from "./labels.ts";
import { removeContainer, removeVolume } from "./remove.ts";

export async function sweepEngine(engine: Engine, say: (text: string) => void): Promise<void> {
  const filters = { label: [ownerLabel] };
  const containers = await engine.listContainers({ all: true, filters });
  const orphaned = await orphans(containers, ({ Labels }) => Labels);
  // All at once: which of them others depend on, the engine knows.
  await Promise.all(orphaned.map(({ Id }) => removeContainer(engine, Id)));
  const { Volumes } = await engine.listVolumes({ filters });
  const volumes = await orphans(Volumes ?? [], ({ Labels }) => Labels);
  await Promise.all(volumes.map(({ Name }) => removeVolume(engine, Name)));
  if (orphaned.length > 0) {
    say(`removed ${orphaned.length} containers that an earlier run left behind`);
  }
}

async function orphans<T>(
  things: readonly T[],
  labelsOf: (thing: T) => Readonly<Record<string, string>> | null,
): Promise<readonly T[]> {
  const living = await Promise.all(
    things.map((thing) => isLiving(labelsOf(thing)?.[ownerLabel] ?? "")),
  );
  return things.filter((_, index) => living[index] !== true);
}
