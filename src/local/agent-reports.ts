// The agent's stderr, read by its launcher: reports by their mark, everything else as diagnostics.

import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { agentReportSchema, reportMark } from "../core/hand-off.ts";
import type { AgentReport } from "../core/hand-off.ts";

export function hearAgent(
  stderr: Readable,
  onReport: (report: AgentReport) => void,
  onDiagnostic: (text: string) => void,
): void {
  const lines = createInterface({ input: stderr, crlfDelay: Infinity });
  lines.on("line", (line) => {
    const report = line.startsWith(reportMark) ? read(line.slice(reportMark.length)) : undefined;
    if (report === undefined) onDiagnostic(line);
    else onReport(report);
  });
}

function read(text: string): AgentReport | undefined {
  try {
    const parsed = agentReportSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
