import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const marks = await mkdtemp(join(tmpdir(), "burst-concurrency-"));
afterAll(() => rm(marks, { recursive: true }));
const { pipeline, trace } = await runFolder(import.meta.url, {
  concurrent: 8,
  variables: { MARKS: marks },
});
const slots = pipeline.jobs.map(({ name }) => / (\d) (\d) in (.+)$/m.exec(trace(name)) ?? []);

test("eight jobs run at once, each in a folder that no other has", () => {
  expect(pipeline.status).toBe("success");
  expect(new Set(slots.map(([, , , folder]) => folder)).size).toBe(8);
});

test("each has a number of its own, from 0 on", () => {
  const numbers = [...Array(8).keys()].map(String);
  expect(slots.map(([, id]) => id).toSorted()).toEqual(numbers);
  expect(slots.map(([, , id]) => id).toSorted()).toEqual(numbers);
});
