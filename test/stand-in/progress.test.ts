import { expect, test } from "vitest";
import type { Step } from "../../src/stand-in/progress.ts";
import { combinedStatus, nextMoves } from "../../src/stand-in/progress.ts";

function step(name: string, stage: string, more: Partial<Step> = {}): Step {
  return {
    name,
    stage,
    status: "created",
    when: "on_success",
    allowFailure: false,
    needs: undefined,
    ...more,
  };
}

const need = (job: string) => ({ job, artifacts: true, optional: false });

const stages = ["build", "test", "deploy"];

test.each<{ rule: string; steps: Step[]; moves: string[] }>([
  {
    rule: "only the first stage starts",
    steps: [step("a", "build"), step("b", "test")],
    moves: ["a pending"],
  },
  {
    rule: "a stage waits for all jobs before it",
    steps: [
      step("a", "build", { status: "success" }),
      step("b", "build", { status: "running" }),
      step("c", "test"),
    ],
    moves: [],
  },
  {
    rule: "success starts on_success, and skips on_failure",
    steps: [
      step("a", "build", { status: "success" }),
      step("b", "test"),
      step("c", "test", { when: "on_failure" }),
      step("d", "test", { when: "always" }),
    ],
    moves: ["b pending", "c skipped", "d pending"],
  },
  {
    rule: "failure starts on_failure and always, and skips the rest",
    steps: [
      step("a", "build", { status: "failed" }),
      step("b", "test"),
      step("c", "test", { when: "on_failure" }),
      step("d", "test", { when: "always" }),
      step("e", "test", { when: "manual" }),
    ],
    moves: ["b skipped", "c pending", "d pending", "e skipped"],
  },
  {
    rule: "a failure that is allowed counts as success",
    steps: [step("a", "build", { status: "failed", allowFailure: true }), step("b", "test")],
    moves: ["b pending"],
  },
  {
    rule: "a manual job waits to be played",
    steps: [step("a", "build", { when: "manual", allowFailure: true })],
    moves: ["a manual"],
  },
  {
    rule: "a manual job that may fail holds nobody up",
    steps: [step("a", "build", { status: "manual", allowFailure: true }), step("b", "test")],
    moves: ["b pending"],
  },
  {
    rule: "a manual job that may not fail holds up the later stages",
    steps: [step("a", "build", { status: "manual" }), step("b", "test")],
    moves: [],
  },
  {
    rule: "a stage of skipped jobs holds nobody up",
    steps: [step("a", "build", { status: "skipped" }), step("b", "test")],
    moves: ["b pending"],
  },
  {
    rule: "a canceled job skips what comes after it, always included",
    steps: [
      step("a", "build", { status: "canceled" }),
      step("b", "test"),
      step("c", "test", { when: "always" }),
    ],
    moves: ["b skipped", "c skipped"],
  },
  {
    rule: "needs go ahead of the stages",
    steps: [
      step("a", "build", { status: "success" }),
      step("slow", "build", { status: "running" }),
      step("b", "deploy", { needs: [need("a")] }),
      step("c", "deploy", { needs: [] }),
    ],
    moves: ["b pending", "c pending"],
  },
  {
    rule: "a needed job that was skipped skips the job that needs it",
    steps: [step("a", "build", { status: "skipped" }), step("b", "test", { needs: [need("a")] })],
    moves: ["b skipped"],
  },
  {
    rule: "a needed job that failed runs the on_failure job that needs it",
    steps: [
      step("a", "build", { status: "failed" }),
      step("b", "test", { needs: [need("a")], when: "on_failure" }),
      step("c", "test", { needs: [need("a")] }),
    ],
    moves: ["b pending", "c skipped"],
  },
  {
    rule: "an optional need that does not exist is as if it were not there",
    steps: [step("b", "test", { needs: [{ ...need("gone"), optional: true }] })],
    moves: ["b pending"],
  },
])("$rule", ({ steps, moves }) => {
  expect(nextMoves(stages, steps).map((move) => `${move.name} ${move.to}`)).toEqual(moves);
});

test.each<{ of: [Step["status"], boolean?][]; sum: string }>([
  { of: [], sum: "success" },
  { of: [["created"], ["created"]], sum: "created" },
  { of: [["pending"], ["created"]], sum: "pending" },
  { of: [["running"], ["success"]], sum: "running" },
  { of: [["success"], ["created"]], sum: "running" },
  { of: [["success"], ["skipped"]], sum: "success" },
  { of: [["success"], ["failed"]], sum: "failed" },
  { of: [["success"], ["failed", true]], sum: "success" },
  { of: [["failed"], ["canceled"]], sum: "failed" },
  { of: [["success"], ["canceled"]], sum: "canceled" },
  { of: [["canceling"], ["success"]], sum: "canceling" },
  { of: [["success"], ["manual"]], sum: "manual" },
  { of: [["success"], ["manual", true]], sum: "success" },
  { of: [["skipped"], ["manual", true]], sum: "skipped" },
])("jobs $of make a pipeline that is $sum", ({ of, sum }) => {
  const steps = of.map(([status, allowFailure = false]) => ({ status, allowFailure }));
  expect(combinedStatus(steps)).toBe(sum);
});
