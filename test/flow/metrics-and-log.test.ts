import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

// In a process of its own: what counts is what a function writes to stdout.
const program = `
  import { createEventLog } from "./lambdas/log.ts";
  import { createMetering } from "./lambdas/metrics.ts";
  const metrics = createMetering("prod");
  metrics.add("ClaimedJobs", 2);
  metrics.add("QueueSeconds", 1.5);
  metrics.publish();
  createEventLog({ environment: "prod", function: "poller" }).info("claimed", { job_id: 7, claim: "c", project: undefined });
`;

test("metrics have the environment as their only dimension, and a line names its job", () => {
  const lines = execFileSync(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "--eval", program],
    { encoding: "utf8", env: { PATH: process.env["PATH"] } },
  );
  const [metrics, line] = lines
    .trim()
    .split("\n")
    .map((text) => JSON.parse(text) as Record<string, unknown>);
  expect(metrics).toMatchObject({
    _aws: {
      CloudWatchMetrics: [
        {
          Namespace: "GitLabBurst",
          Dimensions: [["Environment"]],
          Metrics: [
            { Name: "ClaimedJobs", Unit: "Count" },
            { Name: "QueueSeconds", Unit: "Seconds" },
          ],
        },
      ],
    },
    Environment: "prod",
    ClaimedJobs: 2,
  });
  expect(line).toMatchObject({
    level: "INFO",
    message: "claimed",
    environment: "prod",
    function: "poller",
    job_id: 7,
    claim: "c",
  });
});
