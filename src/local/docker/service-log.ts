// A service's output as lines for the job's log, for CI_DEBUG_SERVICES.

import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import type { Container } from "dockerode";
import type { LauncherMessage } from "../../core/hand-off.ts";
import type { TextMask } from "../../core/job-mask.ts";
import type { ServicePlan } from "../../core/task-plan.ts";

export interface ServiceLogReader {
  readonly tell: (message: LauncherMessage) => void;
  readonly mask: TextMask;
  readonly over: AbortSignal;
}

const longestLine = 8192;

export async function followServiceLog(
  container: Container,
  service: ServicePlan,
  { tell, mask, over }: ServiceLogReader,
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
    // The agent masks all lines; of a longer one it would get only the beginning of a secret.
    const shown = text.length > longestLine ? mask(text).slice(0, longestLine) : text;
    tell({ kind: "service-log", name, text: shown });
  });
}
