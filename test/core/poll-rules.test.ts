import { expect, test } from "vitest";
import { holderOf, leftRequests, noNotes, worthWaiting } from "../../src/core/lease.ts";
import type { LeaseRecord } from "../../src/core/lease.ts";
import type { ClaimPhase } from "../../src/core/claim.ts";
import { dueClaims } from "../../src/core/poll-due.ts";
import { fullPace, takePace } from "../../src/core/poll-pace.ts";
import { freshRhythm, nextRhythm } from "../../src/core/poll-rhythm.ts";
import { addUsage, noUsage } from "../../src/core/poll-usage.ts";

const now = Date.parse("2030-01-02T12:00:00Z");
const lease: LeaseRecord = {
  version: 1,
  holder: "one",
  expiresAt: now + 25_000,
  endsAt: now + 600_000,
  ...noNotes,
};

test.each([
  ["is held until it expires", lease, now, "one"],
  ["is anybody's when it has expired", lease, now + 25_000, undefined],
  ["is anybody's when it was given back", { ...lease, holder: "" }, now, undefined],
] as const)("a lease %s", (_rule, record, at, holder) => {
  expect(holderOf(JSON.stringify(record), at)?.holder).toBe(holder);
});

test.each(["", "{}", "no JSON", JSON.stringify({ ...lease, version: 2 })])(
  "a lease that cannot be read is anybody's: %j",
  (text) => {
    expect(holderOf(text, now)).toBeUndefined();
  },
);

test.each([
  ["goes on", lease, undefined],
  ["is about to end", { ...lease, endsAt: now + 40_000 }, 40_000],
  ["has missed a renewal", { ...lease, expiresAt: now + 9_000 }, 9_000],
] as const)("whether to wait for a poller that %s", (_rule, record, wait) => {
  expect(worthWaiting(record, now, 60_000)).toBe(wait);
});

test("requests that were left count until they must have ended", () => {
  const notes = { health: {}, left: { until: now + 1000, requests: { team: 2 } } };
  expect([...leftRequests(notes, now)]).toEqual([["team", 2]]);
  expect([...leftRequests(notes, now + 1000)]).toEqual([]);
});

const launch = { attempt: 1, rung: 0, try: 0 };
const waiting = (until: number): ClaimPhase => ({
  kind: "waiting",
  launch,
  until,
  since: now,
  why: "",
});
const telling: ClaimPhase = {
  kind: "telling",
  verdict: { state: "success", message: "" },
  until: now,
  tries: 1,
};
const launching = (seconds: number): Extract<ClaimPhase, { kind: "launching" }> => ({
  kind: "launching",
  launch,
  since: now - seconds * 1000,
  waitingSince: now - seconds * 1000,
  request: {},
});
const throttled = (seconds: number, until: number): ClaimPhase => ({
  ...launching(seconds),
  throttled: { times: 1, until },
});
const running: ClaimPhase = { kind: "running", launch, since: now, taskArn: "arn" };

test.each<
  [
    rule: string,
    phase: ClaimPhase | undefined,
    age: number,
    handed: number | undefined,
    due: boolean,
  ]
>([
  ["a new one is in the queue already", { kind: "claimed" }, 5, undefined, false],
  ["one that its poller has lost", { kind: "claimed" }, 60, undefined, true],
  ["one whose launcher was lost", { kind: "claimed" }, 90, 60, true],
  ["not one whose launcher is at it", { kind: "claimed" }, 90, 10, false],
  ["one whose time has come", waiting(now), 5, undefined, true],
  ["one whose time has come since it was handed over", waiting(now), 90, 5, true],
  ["not one that was just handed over", waiting(now - 30_000), 90, 5, false],
  [
    "one that was handed over long ago, and nothing came of it",
    waiting(now - 90_000),
    90,
    30,
    true,
  ],
  ["not one whose time is to come", waiting(now + 1), 90, undefined, false],
  ["one that GitLab is to be told of again", telling, 90, undefined, true],
  ["one whose start was not answered", launching(20), 25, 25, true],
  ["not one that is being started", launching(19), 25, 25, false],
  ["not one whose start is asked for again", launching(60), 65, 19, false],
  ["one that was turned away, and whose time has come", throttled(3, now), 5, 4, true],
  ["not before", throttled(60, now + 1), 90, 60, false],
  ["not one that was just handed over again", throttled(60, now - 10), 90, 0, false],
  ["not one that runs", running, 9000, undefined, false],
  ["not one that cannot be read", undefined, 9000, undefined, false],
])("handed over: %s", (_rule, phase, age, handed, due) => {
  const claim = { name: "c", runner: "a", cpuUnits: 1024, claimedAt: now - age * 1000, phase };
  const handedOver = new Map(handed === undefined ? [] : [["c", now - handed * 1000]]);
  expect(dueClaims([claim], handedOver, now)).toEqual(due ? ["c"] : []);
});

test("never more than 20 task starts a second for long, and never more than 100 at once", () => {
  let pace = fullPace(now);
  let started = 0;
  for (let second = 0; second < 60; second++) {
    const taken = takePace(pace, 1000, now + second * 1000);
    ({ pace } = taken);
    started += taken.granted;
    expect(started).toBeLessThanOrEqual(100 + 20 * second);
  }
  expect(started).toBeGreaterThan(600);
});

test("vCPU minutes are added up by runner, and begin anew with the day in UTC", () => {
  const jobs = [
    { runner: "a", cpuUnits: 2048 },
    { runner: "a", cpuUnits: 256 },
    { runner: "b", cpuUnits: 1024 },
  ];
  let usage = addUsage(noUsage(now), jobs, now + 60_000);
  expect(usage.minutes).toEqual({ a: 2.25, b: 1 });
  usage = addUsage(usage, [], now + 120_000);
  expect(usage.minutes).toEqual({ a: 2.25, b: 1 });
  const midnight = Date.parse("2030-01-03T00:00:00Z");
  const before = { ...usage, atMs: midnight - 60_000 };
  expect(addUsage(before, jobs, midnight + 60_000)).toEqual({
    day: "2030-01-03",
    minutes: { a: 2.25, b: 1 },
    atMs: midnight + 60_000,
  });
});

const times = { askedMs: now, nowMs: now + 100, intervalMs: 3000 };

test("a new queue value is asked with at once, to be held, and never twice in a row", () => {
  const first = nextRhythm(freshRhythm, { kind: "none", lastUpdate: "1" }, times, false);
  expect(first).toMatchObject({ lastUpdate: "1", notBeforeMs: now + 100 });
  const second = nextRhythm(first, { kind: "none", lastUpdate: "2" }, times, false);
  expect(second).toMatchObject({ lastUpdate: "2", notBeforeMs: now + 3000 });
});

test("after a job the next request follows at once, unless the interval is strict", () => {
  expect(nextRhythm(freshRhythm, { kind: "job" }, times, false).notBeforeMs).toBe(now + 100);
  expect(nextRhythm(freshRhythm, { kind: "job" }, times, true).notBeforeMs).toBe(now + 3000);
});

test("a GitLab in trouble is asked later and later, and not before it wants to be", () => {
  let rhythm = freshRhythm;
  const waits: number[] = [];
  for (let failure = 0; failure < 7; failure++) {
    rhythm = nextRhythm(
      rhythm,
      { kind: "unavailable", retryAfterSeconds: undefined },
      times,
      false,
    );
    waits.push((rhythm.notBeforeMs - times.nowMs) / 1000);
  }
  expect(waits).toEqual([3, 6, 12, 24, 48, 60, 60]);
  const asked = { kind: "unavailable", retryAfterSeconds: 90 } as const;
  expect(nextRhythm(rhythm, asked, times, false).notBeforeMs).toBe(times.nowMs + 90_000);
});
