// A service's output as lines for the job's log, for CI_DEBUG_SERVICES.

import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import type { Container } from "dockerode";
import type { LauncherMessage } from "../../core/hand-off.ts";
import type { ServicePlan } from "../../core/task-plan.ts";

export async function followServiceLog(
  container: Container,
  service: ServicePlan,
  tell: (message: LauncherMessage) => void,
  over: AbortSignal,
): Promise<void> {
  const stream = await container.logs({
    follow: true,
    stdout: true,
    stderr: true,
    abortSignal: over,
  });
  const both = new PassThrough();
  container.modem.demuxStream(stream, both, both);
  stream.on("end", () => both.end());
  stream.on("error", () => both.end());
  const name = service.hostnames.join("-");
  createInterface({ input: both, crlfDelay: Infinity }).on("line", (text) => {
    tell({ kind: "service-log", name, text: text.slice(0, 8192) });
  });
}
