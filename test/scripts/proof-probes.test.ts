// The programs of the proof's probes, run here: one container's folder and metadata endpoint are stood in for.

import { execFile, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { insideBeliefs } from "../../scripts/proof-aws/inside-beliefs.ts";
import { meet, waitForJob } from "../../scripts/proof-aws/agent-scripts.ts";
import { speak } from "../../scripts/proof-aws/job-scripts.ts";
import type { World } from "../../scripts/proof-aws/world.ts";

/** The job's container as the endpoint shows it, one look after the other; the last stays. */
async function metadata(...looks: readonly object[]): Promise<string> {
  let index = 0;
  const server = createServer((request, response) => {
    if (request.url === "/task/stats") {
      response.end(JSON.stringify({ id: { memory_stats: { usage: 1234 } } }));
      return;
    }
    const job = { DockerId: "id", Name: "job", Image: "python", StartedAt: "x", ...looks[index] };
    index = Math.min(index + 1, looks.length - 1);
    response.end(
      JSON.stringify({
        TaskARN: "arn",
        DesiredStatus: "RUNNING",
        PullStartedAt: "x",
        Containers: [job],
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function runAgent(program: string, env: Readonly<Record<string, string>>) {
  return await new Promise<{ readonly code: unknown; readonly lines: readonly string[] }>(
    (resolve) => {
      execFile(process.execPath, ["-e", program], { env }, (error, stdout) =>
        resolve({ code: error === null ? 0 : error.code, lines: stdout.trim().split("\n") }),
      );
    },
  );
}

function lookFor(name: string, lines: readonly string[]) {
  const said = new Map(
    lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
  const world = { probe: async () => ({ said: async () => said }) } as unknown as World;
  return insideBeliefs.find((belief) => belief.name === name)?.find(world);
}

test("agent and job of the meeting hear each other, and their beliefs are read from it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "proof-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  chmodSync(folder, 0o777);
  const hosts = join(folder, "hosts");
  writeFileSync(hosts, "127.0.0.1 localhost\n");
  const here = (text: string) =>
    text.replaceAll("/burst/control", folder).replaceAll("/etc/hosts", hosts);
  const PATH = process.env["PATH"] ?? "";
  const base = await metadata({ KnownStatus: "NONE" }, { KnownStatus: "RUNNING" });
  const job = spawn("sh", ["-c", here(speak)], { env: { PATH, BURST_CONTROL: folder } });
  onTestFinished(() => void job.kill("SIGKILL"));
  const { code, lines } = await runAgent(here(meet), {
    PATH,
    PROOF_VALUE: "from a file",
    ECS_CONTAINER_METADATA_URI_V4: base,
  });
  expect(code).toBe(0);
  expect(lines).toContain("environment=from a file");
  expect(lines).toContain("job.environment=");
  expect(lines).toContain("job.oom=1000");
  for (const name of [
    "starts-while-pulling",
    "hosts-own",
    "oom-score",
    "no-credentials",
    "metadata-fields",
    "metadata-memory",
  ]) {
    expect([name, (await lookFor(name, lines))?.kind]).toEqual([name, "held"]);
  }
  // Here the job is not another uid.
  expect((await lookFor("fifo-on-volume", lines))?.seen).toMatch(/was heard$/);
});

test("a probe that waits for its job ends with 71 when that has ended", async () => {
  const base = await metadata(
    { KnownStatus: "RUNNING" },
    { KnownStatus: "STOPPED", ExitCode: 137 },
  );
  const { code, lines } = await runAgent(waitForJob, { ECS_CONTAINER_METADATA_URI_V4: base });
  expect(code).toBe(71);
  expect(lines.join("")).toContain('"ExitCode":137');
});
