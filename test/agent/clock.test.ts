import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { sleep, steadyNow } from "../../src/agent/clock.ts";

test("a sleep takes its time", async () => {
  const began = steadyNow();
  await sleep(30);
  expect(steadyNow() - began).toBeGreaterThanOrEqual(29);
});

test("a signal ends a sleep of a year at once, and is no longer listened to", async () => {
  const alarm = new AbortController();
  const slept = sleep(365 * 24 * 3600 * 1000, alarm.signal);
  alarm.abort();
  await slept;
  expect(getEventListeners(alarm.signal, "abort")).toEqual([]);
});

test("a sleep that is over leaves nothing on its signal", async () => {
  const alarm = new AbortController();
  await sleep(1, alarm.signal);
  expect(getEventListeners(alarm.signal, "abort")).toEqual([]);
});

test("nobody sleeps by a signal that was raised before, nor for no time", async () => {
  const began = steadyNow();
  await sleep(60_000, AbortSignal.abort());
  await sleep(0);
  await sleep(-5);
  expect(steadyNow() - began).toBeLessThan(1000);
});

test("the steady clock tells the time of day, as far as this process knows it", () => {
  expect(Math.abs(steadyNow() - Date.now())).toBeLessThan(5000);
});
