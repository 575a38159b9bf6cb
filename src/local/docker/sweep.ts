// Removes what a runner left in the engine when it was killed: containers and volumes that carry our label and
// whose owner does not live any more.

import type { Engine } from "./engine.ts";
import { isLiving, ownerLabel } from "./labels.ts";
import { removeContainer, removeVolume } from "./remove.ts";

export async function sweepEngine(engine: Engine, say: (text: string) => void): Promise<void> {
  const filters = { label: [ownerLabel] };
  const containers = await engine.listContainers({ all: true, filters });
  let swept = 0;
  for (const { Id, Labels } of containers) {
    if (await isLiving(Labels[ownerLabel] ?? "")) continue;
    await removeContainer(engine, Id);
    swept++;
  }
  const { Volumes } = await engine.listVolumes({ filters });
  for (const { Name, Labels } of Volumes ?? []) {
    if (await isLiving(Labels?.[ownerLabel] ?? "")) continue;
    await removeVolume(engine, Name);
  }
  if (swept > 0) say(`removed ${swept} containers that an earlier run left behind`);
}
