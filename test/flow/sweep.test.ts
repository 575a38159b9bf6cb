import { expect, test } from "vitest";
import { grantsSchema } from "../../src/core/hand-off.ts";
import { formatClaimId } from "../../src/core/claim.ts";
import { stateKeys } from "../../src/core/state-keys.ts";
import { advancing } from "./advancing.ts";

const minute = 60_000;

test("a claim that nobody launched for a minute is handed to the launcher", async () => {
  const it = await advancing();
  await it.sweep();
  expect(it.invoked).toEqual([]);
  it.pass(minute);
  await it.sweep();
  expect(it.invoked).toEqual([{ name: "launcher", event: { claim: formatClaimId(it.id) } }]);
});

test("a claim that is not launched for long is counted as late while it waits", async () => {
  const it = await advancing();
  await it.sweep();
  expect(it.metrics).toEqual({});
  it.pass(11 * minute);
  await it.sweep();
  expect(it.metrics["QueueSeconds"]).toBe(11 * 60);
});

test("a claim that waits is handed over when its time has come, not before", async () => {
  const it = await advancing();
  it.tasks.answers.push(
    ...Array.from({ length: 3 }, () => ({ kind: "no-capacity", message: "" }) as const),
  );
  await it.visit();
  await it.sweep();
  expect(it.invoked).toEqual([]);
  it.pass(minute);
  await it.sweep();
  expect(it.invoked).toHaveLength(1);
});

test("a start that was never answered is handed over again", async () => {
  const it = await advancing();
  it.tasks.answers.push(
    ...Array.from({ length: 5 }, () => ({ kind: "unknown", message: "" }) as const),
  );
  await it.visit();
  expect(it.phase()).toBe("launching");
  it.pass(minute);
  await it.sweep();
  expect(it.invoked).toHaveLength(1);
});

test("a task whose end nobody told us about is found", async () => {
  const it = await advancing();
  await it.visit();
  await it.agent().fence();
  await it.agent().tell("success");
  it.stop({}, { agent: 0 });
  await it.sweep();
  expect([it.job().status, it.objects.contents.size]).toEqual(["success", 0]);
});

test("a cancel while the task starts is heard by the sweeper too", async () => {
  const it = await advancing();
  await it.visit();
  it.gitlab.cancel(it.jobId);
  it.pass(minute);
  await it.sweep();
  expect(it.last().state.desiredStatus).toBe("STOPPED");
});

test("grants of a running job are made anew before they end, for the fence that holds", async () => {
  const it = await advancing();
  await it.visit();
  it.agent().up();
  const grants = () =>
    grantsSchema.parse(JSON.parse(it.objects.contents.get(stateKeys.grants(it.id.jobKey)) ?? ""));
  const before = grants();
  it.pass(10 * minute);
  await it.sweep();
  expect(grants()).toEqual(before);
  it.pass(10 * minute);
  await it.sweep();
  expect(grants()).toEqual({ ...before, signedAt: it.now() });
});

test("a task that no claim knows is stopped, and what it left goes when it has", async () => {
  const it = await advancing();
  await it.visit();
  it.agent().up();
  await it.objects.remove([stateKeys.claim(it.id)]);
  await it.sweep();
  expect(it.last().state.desiredStatus).toBe("RUNNING");
  it.pass(20 * minute);
  await it.sweep();
  expect(it.last().state.desiredStatus).toBe("STOPPED");
  expect(it.objects.contents.size).toBeGreaterThan(0);
  it.stop();
  await it.sweep();
  expect(it.objects.contents.size).toBe(0);
});

test("a task of somebody else in our cluster is left alone", async () => {
  const it = await advancing();
  await it.visit();
  it.tasks.change(it.last().state.taskArn, { startedBy: "somebody" });
  await it.objects.remove([stateKeys.claim(it.id)]);
  it.pass(20 * minute);
  await it.sweep();
  expect(it.last().state.desiredStatus).toBe("RUNNING");
});

test("logins go when their job is gone, or when no job has used them for days", async () => {
  const it = await advancing();
  const prefix = "gitlab-burst-test";
  const gone = "0".repeat(32);
  const createdAt = it.now();
  it.secrets.set(`${prefix}/job/${it.id.jobKey}-1`, { createdAt });
  it.secrets.set(`${prefix}/job/${gone}-1`, { createdAt });
  it.secrets.set(`${prefix}/registry/used`, {
    createdAt,
    lastUsedAt: it.now() + 3 * 24 * 60 * minute,
  });
  it.secrets.set(`${prefix}/registry/unused`, { createdAt });
  await it.sweep();
  expect(it.secrets.size).toBe(4);
  it.pass(4 * 24 * 60 * minute);
  await it.sweep();
  expect([...it.secrets.keys()]).toEqual([
    `${prefix}/job/${it.id.jobKey}-1`,
    `${prefix}/registry/used`,
  ]);
});

test("a record that cannot be read is reported, and keeps nobody from being helped", async () => {
  const it = await advancing();
  const broken = { ...it.id, jobKey: "0".repeat(32) };
  await it.objects.write(stateKeys.claim(broken), "{}");
  it.pass(minute);
  await it.sweep();
  expect(it.invoked).toHaveLength(1);
  expect(it.log.map(({ message }) => message)).toContain("a claim could not be swept");
});
