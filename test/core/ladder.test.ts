import { expect, test } from "vitest";
import {
  clientToken,
  climb,
  firstLaunch,
  ladderOf,
  nextAttempt,
  patienceSeconds,
  standBack,
} from "../../src/core/ladder.ts";
import type { LadderInput, NotStarted, WaitInput } from "../../src/core/ladder.ts";

const rungs = ladderOf("spot", ["a", "b"]);
const minute = 60_000;

function step(kind: NotStarted["kind"], input: Partial<LadderInput> = {}) {
  const now = 100 * minute;
  return climb({
    launch: firstLaunch,
    rungs,
    reply: { kind, message: "" },
    now,
    since: now,
    timeoutSeconds: 3600,
    chance: 0,
    ...input,
  });
}

test("the ladder leads from Spot to on-demand, then to each subnet by itself", () => {
  expect(rungs.map(({ capacity, subnets }) => [capacity, subnets.join("+")])).toEqual([
    ["spot", "a+b"],
    ["on-demand", "a+b"],
    ["on-demand", "a"],
    ["on-demand", "b"],
  ]);
  expect(ladderOf("on-demand", ["a"])).toEqual([{ capacity: "on-demand", subnets: ["a"] }]);
});

const at = (rung: number, tries = 0) => ({ attempt: 1, rung, try: tries });

test.each([
  ["no room: the next rung, at once", "no-capacity", 0, at(1), 0],
  ["no room on-demand: one subnet after the other", "no-capacity", 2, at(3), 0],
  ["no room anywhere: from the bottom, later", "no-capacity", 3, at(0, 1), 10_000],
  ["a Spot quota says nothing about on-demand", "quota", 0, at(1), 0],
  ["an on-demand quota holds in every subnet", "quota", 1, at(0, 1), 10_000],
  ["no address: another subnet", "no-address", 1, at(2), 0],
] as const)("%s", (_, kind, rung, launch, after) => {
  expect(step(kind, { launch: at(rung) })).toMatchObject({
    kind: "again",
    launch,
    until: 100 * minute + after,
  });
});

test.each([
  ["nothing while another rung is tried at once", "no-capacity", 0, undefined],
  ["room, when all rungs have been tried", "no-capacity", 3, "no-capacity"],
  ["nothing while on-demand is tried instead of a Spot quota", "quota", 0, undefined],
  ["the on-demand quota", "quota", 1, "quota"],
  ["addresses, when all subnets have been tried", "no-address", 3, "no-address"],
] as const)("what it waits for: %s", (_, kind, rung, obstacle) => {
  const next = step(kind, { launch: at(rung) });
  expect(next.kind === "again" && next.obstacle).toBe(obstacle);
});

const turned = (times: number, input: Partial<WaitInput> = {}) =>
  standBack(times, {
    now: 100 * minute,
    since: 100 * minute,
    timeoutSeconds: 3600,
    chance: 0.999,
    ...input,
  });

test("who is turned away comes back soon, and then less and less often", () => {
  const waits = [1, 2, 3, 6, 20].map((times) => {
    const next = turned(times);
    return next.kind === "again" ? Math.round((next.until - 100 * minute) / 500) / 2 : undefined;
  });
  expect(waits).toEqual([0.5, 1, 2, 16, 20]);
});

test("and after half an hour not any more", () => {
  expect(turned(99, { since: 70 * minute })).toEqual({
    kind: "give-up",
    message:
      "no task could be started for 30 minutes: AWS asks for fewer starts at once. Retry the job later",
  });
  expect(turned(99, { since: 70 * minute + 3000 })).toEqual({
    kind: "again",
    until: 100 * minute + 3000,
  });
});

test("waits grow with the tries, to a minute at most", () => {
  const waits = [0, 1, 2, 3, 9].map((tries) => {
    const next = step("quota", { launch: at(3, tries), chance: 0.999 });
    return next.kind === "again" ? Math.round((next.until - 100 * minute) / 1000) : undefined;
  });
  expect(waits).toEqual([10, 20, 40, 60, 60]);
});

test("after half an hour, or the job's own time, nobody waits any more", () => {
  const since = 100 * minute - 30 * minute;
  expect(step("no-capacity", { launch: at(3, 20), since })).toMatchObject({
    kind: "give-up",
    message: expect.stringMatching(/no task could be started for 30 minutes: AWS has no room/),
  });
  expect(patienceSeconds(600)).toBe(600);
  expect(step("quota", { launch: at(3), since: 90 * minute, timeoutSeconds: 600 })).toMatchObject({
    kind: "give-up",
    message: expect.stringContaining("Service Quotas"),
  });
});

test("the last try is made at the end of our patience, not beyond it", () => {
  const since = 100 * minute - 30 * minute + 3000;
  expect(step("quota", { launch: at(3, 9), since })).toMatchObject({ until: 100 * minute + 3000 });
});

test("who has lost two tasks is not sent back to Spot", () => {
  expect(nextAttempt({ attempt: 1, rung: 2, try: 3 }, rungs)).toEqual({
    attempt: 2,
    rung: 0,
    try: 0,
  });
  expect(nextAttempt({ attempt: 2, rung: 0, try: 0 }, rungs)).toEqual({
    attempt: 3,
    rung: 1,
    try: 0,
  });
});

test("a token names one launch of one job, and nothing else", () => {
  const tokens = [
    clientToken("job", at(0), (text) => text),
    clientToken("job", at(1), (text) => text),
    clientToken("job", at(0, 1), (text) => text),
    clientToken("job", { ...at(0), attempt: 2 }, (text) => text),
    clientToken("other", at(0), (text) => text),
  ];
  expect(new Set(tokens).size).toBe(5);
  expect(clientToken("job", at(0), (text) => text)).toBe(tokens[0]);
});
