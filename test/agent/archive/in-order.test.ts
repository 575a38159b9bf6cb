import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { inOrder } from "../../../src/agent/archive/in-order.ts";

test("results come in the order of the items, whichever is done first", async () => {
  const results: number[] = [];
  const work = async (item: number): Promise<number> => {
    await delay(10 - item);
    return item;
  };
  for await (const result of inOrder([1, 2, 3, 4, 5], 3, work)) results.push(result);
  expect(results).toEqual([1, 2, 3, 4, 5]);
});

test("no more than the width is under way", async () => {
  let underWay = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    most = Math.max(most, ++underWay);
    await delay(2);
    underWay--;
  };
  for await (const _ of inOrder(Array.from({ length: 10 }), 3, work))
    expect(underWay).toBeLessThan(4);
  expect(most).toBe(3);
});

test("whoever stops early waits for what is under way, so that it may close files", async () => {
  let underWay = 0;
  const work = async (item: number): Promise<void> => {
    underWay++;
    await delay(item);
    underWay--;
    if (item === 1) throw new Error("first");
  };
  const consume = async (): Promise<void> => {
    for await (const _ of inOrder([1, 15, 20], 3, work)) throw new Error("not reached");
  };
  await expect(consume()).rejects.toThrow("first");
  expect(underWay).toBe(0);
});
