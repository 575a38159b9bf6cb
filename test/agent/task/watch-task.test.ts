import { expect, test } from "vitest";
import type { Metadata, SeenContainer, SeenTask } from "../../../src/agent/task/metadata.ts";
import { watchTask } from "../../../src/agent/task/watch-task.ts";
import type { LauncherMessage, TaskHandOff } from "../../../src/core/hand-off.ts";
import { buildHandOff } from "../build-hand-off.ts";
import { steppedClock } from "../stepped-clock.ts";

const task: TaskHandOff = {
  jobKey: "k",
  attempt: 1,
  trace: "",
  notices: ["hello"],
  jobContainer: "job",
  services: [{ container: "svc-0-db", name: "postgres:17", hostnames: ["db"], ports: [5432] }],
  hosts: [],
  memoryMiB: 512,
  logs: { region: "eu-west-1", group: "g", streamPrefix: "p" },
  grants: {
    signedAt: 0,
    started: { url: "" },
    result: { url: "" },
    renewed: { url: "" },
    caches: {},
  },
};

/** What is told in more than a minute, the endpoint saying what it is given, the last of it again and again. */
async function told(...looks: readonly (Partial<Record<string, string>> | undefined)[]) {
  const clock = steppedClock();
  const over = new AbortController();
  const messages: LauncherMessage[] = [];
  const left = [...looks];
  const metadata: Metadata = {
    task: () => Promise.resolve(seen(left.length > 1 ? left.shift() : left[0])),
    self: () => Promise.resolve(undefined),
    memoryInUse: () => Promise.resolve(undefined),
  };
  watchTask(
    { handOff: buildHandOff("/tmp"), task },
    {
      metadata,
      tell: (message) => messages.push(message),
      now: clock.now,
      sleep: clock.sleep,
      over: over.signal,
    },
  );
  const steps = [];
  for (let step = 0; step < Math.max(looks.length, 70); step++) steps.push(await clock.step());
  over.abort();
  return { messages, steps };
}

/** `container: "STATUS"` or `"STATUS exit code"`. */
function seen(statuses: Partial<Record<string, string>> | undefined): SeenTask | undefined {
  if (statuses === undefined) return undefined;
  const containers = Object.entries(statuses).map(([Name, text = ""]): SeenContainer => {
    const [KnownStatus = "", code] = text.split(" ");
    return {
      DockerId: Name,
      Name,
      Image: `${Name}:1`,
      KnownStatus,
      ExitCode: code === undefined ? undefined : Number(code),
      StartedAt: undefined,
    };
  });
  return {
    TaskARN: "",
    DesiredStatus: "RUNNING",
    PullStartedAt: undefined,
    PullStoppedAt: undefined,
    Containers: containers,
  };
}

const line = (text: string) => ({ kind: "notice", level: "line", text });
const prepared = {
  kind: "prepared",
  services: [{ name: "postgres:17", hostnames: ["db"], ports: [5432] }],
};

test("each change is told once, and all is prepared when every container runs", async () => {
  const { messages, steps } = await told(
    { agent: "RUNNING", job: "NONE", "svc-0-db": "NONE" },
    { agent: "RUNNING", job: "NONE", "svc-0-db": "PULLED" },
    { agent: "RUNNING", job: "RUNNING", "svc-0-db": "CREATED" },
    { agent: "RUNNING", job: "RUNNING", "svc-0-db": "RUNNING" },
    { agent: "RUNNING", job: "RUNNING", "svc-0-db": "RUNNING" },
  );
  expect(messages).toEqual([
    line("hello"),
    line("Pulling image job:1 ..."),
    line("Pulling image svc-0-db:1 ..."),
    prepared,
  ]);
  expect(steps.slice(0, 5)).toEqual([1000, 1000, 1000, 5000, 5000]);
});

test.each([
  ["with a failure is told with its exit code", "STOPPED 3", /postgres:17 ended .* exit code 3/],
  ["with its work done is told without a word", "STOPPED 0", /^$/],
  ["before it ran is told so", "STOPPED", /postgres:17 was not started/],
])("a service that ended %s, and is not waited for", async (_name, status, reason) => {
  const { messages } = await told({ job: "RUNNING", "svc-0-db": status });
  expect(messages).toEqual([
    line("hello"),
    { kind: "service-ended", hostname: "db", reason: expect.stringMatching(reason) as string },
    prepared,
  ]);
});

test("a job's container that has stopped is told, once, and nothing is prepared", async () => {
  const { messages } = await told(
    { job: "STOPPED", "svc-0-db": "RUNNING" },
    { job: "STOPPED", "svc-0-db": "RUNNING" },
  );
  expect(messages).toEqual([line("hello"), { kind: "failed" }]);
});

test("containers that others have put into the task are none of ours", async () => {
  const { messages } = await told({ "aws-guardduty-agent-x": "STOPPED 1", job: "CREATED" });
  expect(messages).toEqual([line("hello")]);
});

test("without a word from the endpoint for a minute the job goes on, warned", async () => {
  const { messages } = await told(undefined);
  expect(messages).toEqual([
    line("hello"),
    {
      kind: "notice",
      level: "warning",
      text: expect.stringContaining("metadata cannot be read") as string,
    },
    prepared,
  ]);
});
