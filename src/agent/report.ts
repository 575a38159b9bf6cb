// The agent's line back to its launcher. On one machine that is Node's channel between processes; a
// launcher that has died hears nothing, and the job goes on.

import type { AgentReport } from "../core/hand-off.ts";

export interface Reports {
  send(report: AgentReport): Promise<void>;
  close(): void;
}

export function openReports(): Reports {
  // Listening or not, an open channel would keep this process alive.
  process.channel?.unref();
  return {
    send: (report) =>
      new Promise((resolve) => {
        if (process.send === undefined || !process.connected) resolve();
        else process.send(report, undefined, undefined, () => resolve());
      }),
    close() {
      if (process.connected) process.disconnect();
    },
  };
}
