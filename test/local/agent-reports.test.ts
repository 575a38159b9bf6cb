import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { reportMark } from "../../src/core/hand-off.ts";
import type { AgentReport } from "../../src/core/hand-off.ts";
import { hearAgent } from "../../src/local/agent-reports.ts";

async function heard(...chunks: readonly string[]) {
  const reports: AgentReport[] = [];
  const diagnostics: string[] = [];
  const stderr = Readable.from(chunks);
  hearAgent(
    stderr,
    (report) => reports.push(report),
    (text) => diagnostics.push(text),
  );
  await new Promise((resolve) => {
    stderr.once("close", () => setImmediate(resolve));
  });
  return { reports, diagnostics };
}

test("reports are told from what else an agent says, in whatever pieces they come", async () => {
  const line = `${reportMark}${JSON.stringify({ kind: "result", result: "failed", exitCode: 3 })}\n`;
  const { reports, diagnostics } = await heard(
    "agent: a warning\n" + line.slice(0, 10),
    line.slice(10) + "and more",
  );
  expect(reports).toEqual([{ kind: "result", result: "failed", exitCode: 3 }]);
  expect(diagnostics).toEqual(["agent: a warning", "and more"]);
});

test.each(["no JSON", '{"kind":"unheard of"}', "null"])(
  "a report that says %j is a diagnostic",
  async (text) => {
    const { reports, diagnostics } = await heard(`${reportMark}${text}\n`);
    expect(reports).toEqual([]);
    expect(diagnostics).toEqual([`${reportMark}${text}`]);
  },
);
