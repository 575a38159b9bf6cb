import { EventEmitter } from "node:events";
import { afterEach, expect, test, vi } from "vitest";
import { listenForSignals } from "../../src/cli/two-signals.ts";

afterEach(() => {
  vi.useRealTimers();
});

test.each<[rule: string, signals: readonly [NodeJS.Signals, number][], heard: readonly string[]]>([
  ["one is the first", [["SIGTERM", 0]], ["first"]],
  [
    "a second one ends what runs",
    [
      ["SIGTERM", 0],
      ["SIGTERM", 10],
    ],
    ["first", "second"],
  ],
  [
    "also one of the other kind, at once",
    [
      ["SIGTERM", 0],
      ["SIGINT", 0],
    ],
    ["first", "second"],
  ],
  [
    "one Ctrl-C that npm passes on as well is one",
    [
      ["SIGINT", 0],
      ["SIGINT", 100],
    ],
    ["first"],
  ],
  [
    "two of them are two, each of which may come twice",
    [
      ["SIGINT", 0],
      ["SIGINT", 100],
      ["SIGINT", 900],
      ["SIGINT", 100],
    ],
    ["first", "second"],
  ],
])("%s", (_rule, signals, heard) => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const said: string[] = [];
  const source = new EventEmitter();
  const { release, interrupt } = listenForSignals(
    () => said.push("first"),
    () => said.push("second"),
    source,
  );
  for (const [signal, after] of signals) {
    vi.advanceTimersByTime(after);
    source.emit(signal, signal);
  }
  expect(said).toEqual(heard);
  expect(interrupt.aborted).toBe(heard.includes("second"));
  release();
  expect(source.eventNames()).toEqual([]);
});
