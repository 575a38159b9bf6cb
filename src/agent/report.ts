// The agent's line back to whoever launched it; on one machine marked lines of JSON on stderr, where the job cannot write.

import { reportMark } from "../core/hand-off.ts";
import type { AgentReport } from "../core/hand-off.ts";

export interface Reports {
  /** The first line of user script is about to run. false: it may not, another attempt owns the job. */
  begin(): Promise<boolean>;
  /** Resolves when the report is out of our hands; a launcher that has died hears nothing. */
  send(report: AgentReport): Promise<void>;
}

export function openReports(stderr: NodeJS.WritableStream): Reports {
  stderr.on("error", () => {
    // The launcher is gone; the job goes on, and GitLab is told by us.
  });
  const send = (report: AgentReport): Promise<void> =>
    new Promise((resolve) => {
      stderr.write(`${reportMark}${JSON.stringify(report)}\n`, () => resolve());
    });
  return {
    async begin() {
      await send({ kind: "started" });
      return true;
    },
    send,
  };
}
