import { expect, test } from "vitest";
import { mirrorTo } from "../../src/agent/mirror.ts";

function newStdout() {
  const written: string[] = [];
  let fail: () => void = () => undefined;
  const stdout = {
    writableLength: 0,
    write: (bytes: Uint8Array) => written.push(Buffer.from(bytes).toString()) > 0,
    on: (_event: "error", listener: () => void) => {
      fail = listener;
    },
  };
  return { stdout, written, fail: () => fail() };
}

test("what the trace keeps is shown", () => {
  const { stdout, written } = newStdout();
  mirrorTo(stdout)(Buffer.from("a line\n"));
  expect(written).toEqual(["a line\n"]);
});

test("a reader who does not keep up misses some, and memory does not grow", () => {
  const { stdout, written } = newStdout();
  const mirror = mirrorTo(stdout);
  stdout.writableLength = 8 * 1024 * 1024;
  mirror(Buffer.from("missed\n"));
  stdout.writableLength = 0;
  mirror(Buffer.from("seen\n"));
  expect(written).toEqual(["seen\n"]);
});

test("a reader who is gone is written to no more", () => {
  const { stdout, written, fail } = newStdout();
  const mirror = mirrorTo(stdout);
  fail();
  mirror(Buffer.from("nobody reads this\n"));
  expect(written).toEqual([]);
});
