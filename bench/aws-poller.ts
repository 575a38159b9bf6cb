// What a poller keeps of its polls: nothing should be left of them, however many a warm process has made.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { variables } from "../test/aws/one-process.ts";
import { startFront } from "../test/fakes/front.ts";
import { createMemoryAws } from "../test/fakes/memory-aws.ts";
import { runChild } from "./measured-child.ts";
import type { PollerMemory, PollerTask } from "./poller-child.ts";
import { megabytes } from "./row.ts";
import type { Benchmark } from "./row.ts";

export const awsPoller: Benchmark = {
  name: "aws-poller",
  async run({ quick, note }) {
    const { result, memory } = await pollInChild(quick ? 1000 : 10_000);
    const { early, late, polls } = result;
    note(`${polls} polls; a process on Lambda has a little more, for what calls it`);
    return [
      {
        name: `what a poller keeps after ${quick ? "1,000" : "10,000"} polls`,
        measured: megabytes(late),
        baseline: megabytes(early),
        ratio: late / early,
        aim: { atMost: 1.1 },
        memory,
      },
    ];
  },
};

async function pollInChild(polls: number) {
  const aws = createMemoryAws(Date.now);
  const front = await startFront({ memory: aws.answer });
  // A GitLab that never has a job.
  const gitlab = createServer((incoming, outgoing) => {
    incoming.resume().on("end", () => {
      front.clearRequests();
      outgoing.writeHead(204, { "x-gitlab-last-update": "1" }).end();
    });
  });
  await new Promise<void>((resolve) => {
    gitlab.listen(0, "127.0.0.1", resolve);
  });
  try {
    const url = `http://127.0.0.1:${(gitlab.address() as AddressInfo).port}`;
    const at = variables.BURST_PARAMETERS;
    aws.putParameter(`${at}/runners/team/settings`, JSON.stringify({ url }));
    aws.putParameter(`${at}/runners/team/token`, "glrt-of-no-account", true);
    const task: PollerTask = {
      polls,
      environment: {
        ...variables,
        AWS_REGION: "us-east-1",
        AWS_ENDPOINT_URL: front.url,
        AWS_ACCESS_KEY_ID: "BENCH",
        AWS_SECRET_ACCESS_KEY: "nothing",
      },
    };
    return await runChild<PollerMemory>("poller-child.ts", task);
  } finally {
    gitlab.closeAllConnections();
    gitlab.close();
    await front.close();
  }
}
