// Hears from the engine when the kernel takes a process of the job for want of memory.

import type { Container } from "dockerode";
import type { Engine } from "./engine.ts";

export async function watchOutOfMemory(
  engine: Engine,
  container: Container,
  over: AbortSignal,
  onOutOfMemory: () => void,
): Promise<void> {
  try {
    const events = await engine.getEvents({
      filters: { container: [container.id], event: ["oom"] },
      abortSignal: over,
    });
    let told = false;
    events.on("data", () => {
      if (told) return;
      told = true;
      onOutOfMemory();
    });
    events.on("error", () => {
      // Ended by us, or with the engine.
    });
    over.addEventListener("abort", () => {
      if ("destroy" in events && typeof events.destroy === "function") events.destroy();
    });
  } catch {
    // Without events the exit code 137 still tells; only the advice is lost.
  }
}
