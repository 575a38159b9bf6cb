import { PassThrough, Writable } from "node:stream";
import { expect, test } from "vitest";
import { openReports } from "../../src/agent/report.ts";
import type { AgentReport } from "../../src/core/hand-off.ts";
import { hearAgent } from "../../src/local/agent-reports.ts";
import { patient } from "../harness/patient.ts";

test("what the agent reports its launcher hears", async () => {
  const stderr = new PassThrough();
  const heard: AgentReport[] = [];
  hearAgent(
    stderr,
    (report) => heard.push(report),
    () => undefined,
  );
  const reports = openReports(stderr);
  await reports.send({ kind: "started" });
  await reports.send({ kind: "result", result: "failed", failureReason: "script_failure" });
  await expect
    .poll(() => heard, patient)
    .toEqual([
      { kind: "started" },
      { kind: "result", result: "failed", failureReason: "script_failure" },
    ]);
});

test("a launcher that has died hears nothing, and the agent goes on", async () => {
  const stderr = new Writable({
    write: (_chunk, _encoding, done) => done(new Error("EPIPE")),
  });
  const reports = openReports(stderr);
  await reports.send({ kind: "started" });
  await reports.send({ kind: "started" });
});
