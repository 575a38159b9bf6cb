// What the launcher tells about the job's containers while they are made: said in the trace as it comes, and
// waited for before the first script.

import type { LauncherMessage } from "../core/hand-off.ts";
import type { JobStops } from "./job-stops.ts";
import type { Launcher } from "./launcher.ts";
import type { Trace } from "./trace.ts";

export type StartedService = Extract<LauncherMessage, { kind: "prepared" }>["services"][number];

export interface Surroundings {
  /** Begins to tell; what came before is told at once. */
  open(): void;
  /** Resolves when every container has been started; never, if one will not come. */
  readonly services: Promise<readonly StartedService[]>;
  /** Whether the service has ended: nobody need wait for it any more. */
  hasEnded(service: StartedService): boolean;
}

export function watchSurroundings(
  launcher: Pick<Launcher, "listen">,
  trace: Trace,
  stops: JobStops,
): Surroundings {
  let settle: ((services: readonly StartedService[]) => void) | undefined;
  const services = new Promise<readonly StartedService[]>((resolve) => {
    settle = resolve;
  });
  const ended = new Set<string>();
  const hear = (message: LauncherMessage): void => {
    switch (message.kind) {
      case "notice":
        if (message.level === "warning") trace.log.warning(message.text);
        else trace.log.line(message.text);
        return;
      case "prepared":
        settle?.(message.services);
        return;
      case "failed":
        stops.stop("lost");
        return;
      case "service-ended":
        ended.add(message.hostname);
        if (message.reason !== "") trace.log.warning(message.reason);
        return;
      case "service-log":
        trace.service(message.name, message.text);
        return;
      case "out-of-memory":
        trace.log.warning(outOfMemory(message.memoryMiB));
        return;
    }
  };
  return {
    services,
    open: () => launcher.listen(hear),
    hasEnded: ({ hostnames }) => ended.has(hostnames[0] ?? ""),
  };
}

function outOfMemory(memoryMiB: number): string {
  return (
    `the job ran out of memory: its limit is ${memoryMiB} MiB, and the kernel ended a process of it. ` +
    `Ask for more with the variable BURST_MEMORY (such as ${memoryMiB * 2}M), where the runner allows it`
  );
}
