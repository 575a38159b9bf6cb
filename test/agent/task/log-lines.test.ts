import { expect, test } from "vitest";
import { hostLines } from "../../../src/agent/task/host-names.ts";
import { portsIn } from "../../../src/agent/task/listening-ports.ts";
import { logLink } from "../../../src/agent/task/log-link.ts";
import { startUpLine } from "../../../src/agent/task/start-up-time.ts";

const times = {
  claimedAt: 1000,
  launchedAt: 1500,
  task: { PullStartedAt: 10_000, PullStoppedAt: 20_000 },
  startedAt: 21_000,
};

test.each([
  [
    "all is known",
    times,
    "Start-up took 20.0 s: 0.5 s until the task was asked for, 8.5 s until it had a machine, " +
      "10.0 s to pull the images, 1.0 s until the job's container ran",
  ],
  [
    "some is not",
    {
      ...times,
      launchedAt: undefined,
      task: { PullStartedAt: undefined, PullStoppedAt: undefined },
    },
    "Start-up took 20.0 s: 20.0 s until the job's container ran",
  ],
  [
    "clocks differ",
    { ...times, launchedAt: 900, task: { PullStartedAt: 800, PullStoppedAt: 20_000 } },
    "Start-up took 20.0 s: 0.0 s until the task was asked for, 0.0 s until it had a machine, " +
      "19.0 s to pull the images, 1.0 s until the job's container ran",
  ],
  ["the container does not run", { ...times, startedAt: undefined }, ""],
] as const)("where the start-up time went, when %s", (_name, known, line) => {
  expect(startUpLine(known)).toBe(line);
});

test.each([
  ["eu-west-1", "eu-west-1.console.aws.amazon.com"],
  ["cn-north-1", "cn-north-1.console.amazonaws.cn"],
  ["us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"],
])("the log's address on AWS in %s", (region, host) => {
  const logs = { region, group: "/burst/jobs", streamPrefix: "team a" };
  expect(logLink(logs, "agent", "arn:aws:ecs:r:1:task/burst/0123")).toBe(
    `https://${host}/cloudwatch/home?region=${region}` +
      "#logsV2:log-groups/log-group/$252Fburst$252Fjobs/log-events/team$2520a$252Fagent$252F0123",
  );
});

test("names that no file of hosts can hold are left out, and so are addresses that are none", () => {
  const lines = hostLines({
    services: [
      { container: "a", name: "a", hostnames: ["db", "x y", "tutum__wordpress"], ports: [] },
      { container: "b", name: "b", hostnames: ["evil\n1.2.3.4 gitlab.com"], ports: [] },
    ],
    hosts: [
      { name: "six", address: "fd00::1" },
      { name: "bad", address: "somewhere" },
    ],
  });
  expect(lines).toEqual(["127.0.0.1 db tutum__wordpress", "fd00::1 six"]);
});

test("ports that somebody listens on are read from the kernel's table, Docker's name server left out", () => {
  const table = [
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
    "   0: 00000000:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000   999        0 1 1",
    "   1: 0B00007F:A2C1 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1",
    "   2: 0100007F:C350 0100007F:1538 01 00000000:00000000 00:00000000 00000000     0        0 3 1",
    "",
  ].join("\n");
  expect(portsIn(table)).toEqual([5432]);
});
