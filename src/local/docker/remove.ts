// Removing what was made in an engine, for good: one that is busy, or that somebody else is just removing from, is
// asked again.

import { setTimeout as delay } from "node:timers/promises";
import type { Engine } from "./engine.ts";

const tries = 60;
const pauseMs = 150;

/** With its anonymous volumes. Throws what the engine says when it does not go. */
export async function removeContainer(engine: Engine, id: string): Promise<void> {
  await untilGone(() => engine.getContainer(id).remove({ force: true, v: true }));
}

export async function removeVolume(engine: Engine, name: string): Promise<void> {
  await untilGone(() => engine.getVolume(name).remove());
}

/** By the beginning of its containers' names, so that whatever was made is found, however far the making came. */
export async function removeTask(
  engine: Engine,
  prefix: string,
  volumes: readonly string[],
): Promise<void> {
  // Podman's names do not begin with a slash, so the pattern says nothing of their beginnings.
  const filters = { name: [`${prefix}-`] };
  const containers = await engine.listContainers({ all: true, filters });
  await Promise.all(containers.map(({ Id }) => removeContainer(engine, Id)));
  await Promise.all(volumes.map((name) => removeVolume(engine, name)));
}

async function untilGone(remove: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await remove();
      return;
    } catch (cause) {
      const status =
        typeof cause === "object" && cause !== null && "statusCode" in cause
          ? cause.statusCode
          : undefined;
      if (status === 404) return;
      // Without a status there is no engine to ask again.
      if (status === undefined || attempt === tries) throw cause;
      await delay(pauseMs);
    }
  }
}
