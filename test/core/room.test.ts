import { expect, test } from "vitest";
import { findRoom } from "../../src/core/room.ts";
import type { RoomInput, RoomRunner } from "../../src/core/room.ts";

const runner = (name: string, more: Partial<RoomRunner> = {}): RoomRunner => ({
  name,
  paused: false,
  banned: false,
  limit: 0,
  requestConcurrency: 1,
  vcpuBudget: 0,
  dailyVcpuMinutes: 0,
  usualCpuUnits: 1024,
  ...more,
});
const room = (more: Partial<RoomInput>): RoomInput => ({
  paused: false,
  vcpuBudget: 0,
  dailyVcpuMinutes: 0,
  runners: [runner("a")],
  open: [],
  inFlight: new Map(),
  isBehind: false,
  usedMinutes: new Map(),
  ...more,
});
const jobs = (name: string, count: number, cpuUnits = 1024) =>
  Array.from({ length: count }, () => ({ runner: name, cpuUnits }));
const many = { requestConcurrency: 10 };

const cases: readonly [rule: string, input: RoomInput, asks: Record<string, number>][] = [
  ["one request at a time, unless more are allowed", room({}), { a: 1 }],
  ["as many requests as the runner may make", room({ runners: [runner("a", many)] }), { a: 10 }],
  [
    "requests under way count as requests",
    room({ runners: [runner("a", many)], inFlight: new Map([["a", 4]]) }),
    { a: 6 },
  ],
  ["nobody in a paused environment", room({ paused: true }), {}],
  ["no paused runner", room({ runners: [runner("a", { paused: true }), runner("b")] }), { b: 1 }],
  ["no runner whose token is refused", room({ runners: [runner("a", { banned: true })] }), {}],
  ["nobody while more is claimed than can be handed over", room({ isBehind: true }), {}],
  ...(["quota", "throttled", "no-address"] as const).map((obstacle): (typeof cases)[number] => [
    `nobody, of any runner, while a job waits for what all would wait for: ${obstacle}`,
    room({
      runners: [runner("a"), runner("b", many)],
      open: [{ runner: "a", cpuUnits: 256, obstacle }],
    }),
    {},
  ]),
  [
    "whoever has room while a job waits for capacity, which may be of its kind alone",
    room({
      runners: [runner("a", { limit: 1 }), runner("b", { ...many, limit: 2 })],
      open: [{ runner: "a", cpuUnits: 1024, obstacle: "no-capacity" }],
    }),
    { b: 2 },
  ],
  [
    "no more than the budget allows with the job that waits for capacity",
    room({
      vcpuBudget: 3,
      runners: [runner("a", many)],
      open: [{ runner: "a", cpuUnits: 2048, obstacle: "no-capacity" }],
    }),
    { a: 1 },
  ],
  [
    "up to the limit, jobs and requests together",
    room({
      runners: [runner("a", { ...many, limit: 5 })],
      open: jobs("a", 2),
      inFlight: new Map([["a", 1]]),
    }),
    { a: 2 },
  ],
  [
    "jobs of another runner do not count for the limit",
    room({ runners: [runner("a", { limit: 1 })], open: jobs("b", 3) }),
    { a: 1 },
  ],
  [
    "up to the runner's budget, by the sizes of its jobs",
    room({ runners: [runner("a", { ...many, vcpuBudget: 6 })], open: jobs("a", 1, 4096) }),
    { a: 2 },
  ],
  [
    "no job of the usual size where only a part of it is free",
    room({
      runners: [runner("a", { vcpuBudget: 2, usualCpuUnits: 2048 })],
      open: jobs("a", 1, 256),
    }),
    {},
  ],
  [
    "the environment's budget is shared, one request in turn",
    room({ vcpuBudget: 3, runners: [runner("a", many), runner("b", many)] }),
    { a: 2, b: 1 },
  ],
  [
    "jobs of runners that are gone still use the environment's budget",
    room({ vcpuBudget: 2, open: jobs("gone", 2) }),
    {},
  ],
  [
    "requests that the last poller left count",
    room({ vcpuBudget: 1, inFlight: new Map([["gone", 1]]) }),
    {},
  ],
  [
    "not over the runner's minutes of the day",
    room({
      runners: [runner("a", { dailyVcpuMinutes: 10 }), runner("b")],
      usedMinutes: new Map([["a", 10]]),
    }),
    { b: 1 },
  ],
  [
    "not over the environment's minutes of the day, whoever used them",
    room({ dailyVcpuMinutes: 10, usedMinutes: new Map([["gone", 10.5]]) }),
    {},
  ],
];

test.each(cases)("asked for: %s", (_rule, input, asks) => {
  expect(Object.fromEntries(findRoom(input).asks)).toEqual(asks);
});

test("a runner that gets nothing is told why", () => {
  const { why } = findRoom(room({ vcpuBudget: 2, open: jobs("a", 2) }));
  expect(why.get("a")).toBe("the environment's budget of 2 vCPU is used up");
  const held = room({ open: [{ runner: "b", cpuUnits: 256, obstacle: "quota" }] });
  expect(findRoom(held).why.get("a")).toBe(
    "this AWS account's quota of vCPU is used up, and claimed jobs wait for it",
  );
});

test("it is crowded where requests, and not jobs, keep a runner from asking", () => {
  const two = { vcpuBudget: 1, runners: [runner("a"), runner("b")] };
  expect(findRoom(room(two)).crowded).toBe(true);
  expect(findRoom(room({ ...two, open: jobs("a", 1) })).crowded).toBe(false);
  expect(findRoom(room({ ...two, vcpuBudget: 2 })).crowded).toBe(false);
});
