import { describe, expect, test } from "vitest";
import type { ClaimPhase } from "../../src/core/claim.ts";
import { mayHaveMore, mayTurnUp, turnUpMs } from "../../src/core/stray.ts";

const now = 10_000_000;
const first = { attempt: 1, rung: 0, try: 0 };
const waiting = { kind: "waiting", until: now, since: now, why: "" } as const;
const launching = { kind: "launching", since: 0, waitingSince: 0, request: {} } as const;
const running = (age: number) => ({ kind: "running", since: now - age, taskArn: "arn:1" }) as const;

describe("tasks that no record names", () => {
  test.each<[string, ClaimPhase, { more: boolean; soon: boolean }]>([
    ["nothing was begun", { kind: "claimed" }, { more: false, soon: false }],
    ["nothing was sent yet", { ...waiting, launch: first }, { more: false, soon: false }],
    [
      "a step was left behind while it waits for the next",
      { ...waiting, launch: { ...first, rung: 1 } },
      { more: true, soon: true },
    ],
    [
      "every step was left behind",
      { ...waiting, launch: { ...first, try: 1 } },
      { more: true, soon: true },
    ],
    ["a request may be on its way", { ...launching, launch: first }, { more: true, soon: true }],
    [
      "the first request's own task, which every other door would get too",
      { ...running(0), launch: first },
      { more: false, soon: false },
    ],
    [
      "a task of a later step",
      { ...running(turnUpMs - 1), launch: { ...first, rung: 2 } },
      { more: true, soon: true },
    ],
    [
      "a later task of the job",
      { ...running(turnUpMs - 1), launch: { ...first, attempt: 2 } },
      { more: true, soon: true },
    ],
    [
      "a later task that has run for longer than any request takes",
      { ...running(turnUpMs), launch: { ...first, attempt: 2 } },
      { more: true, soon: false },
    ],
    [
      "a claim that is closing has it in its record",
      { kind: "closing", until: 0, search: true },
      { more: false, soon: false },
    ],
  ])("%s", (_name, phase, { more, soon }) => {
    expect([mayHaveMore(phase), mayTurnUp(phase, now)]).toEqual([more, soon]);
  });
});
