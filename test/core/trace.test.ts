import { expect, test } from "vitest";
import {
  adoptInterval,
  beginFinal,
  contactIsDue,
  finalRetrySeconds,
  formatChecksum,
  maxPatchBytes,
  nextPatch,
  onContact,
  onPatchReply,
  openWindow,
  orderOf,
  rewind,
  traceOutput,
  type TraceReply,
  type TraceWindow,
} from "../../src/core/trace.ts";

const opened = openWindow(1000);

/** The window after what is to be sent of `size` bytes was answered. */
function after(window: TraceWindow, size: number, reply: TraceReply, now = 2000) {
  const patch = nextPatch(window, size);
  if (patch === undefined) throw new Error("nothing to send");
  return onPatchReply(window, patch, reply, now, size);
}

test("C33 an empty PATCH is never sent", () => {
  expect(nextPatch(opened, 0)).toBeUndefined();
  expect(nextPatch({ ...opened, sent: 7 }, 7)).toBeUndefined();
});

test("C33 a patch has 1 MiB at most, and the next begins where it ended", () => {
  const size = maxPatchBytes * 2 + 5;
  const ranges: string[] = [];
  let window = opened;
  for (let patch = nextPatch(window, size); patch; patch = nextPatch(window, size)) {
    ranges.push(patch.contentRange);
    window = onPatchReply(window, patch, { kind: "accepted" }, 2000, size).window;
  }
  expect(ranges).toEqual(["0-1048575", "1048576-2097151", "2097152-2097156"]);
});

test("C33 after a patch that nobody answered the same bytes are sent again", () => {
  const { window, outcome } = after(opened, 10, { kind: "unavailable" });
  expect(outcome).toBe("failed");
  expect(nextPatch(window, 12)).toMatchObject({ from: 0, to: 12 });
  expect(window.lastContact).toBe(1000);
});

test.each([
  ["C34 a 416 names where to go on", 5, 5],
  ["C34 a 416 without a size: from 0", undefined, 0],
])("%s", (_, size, from) => {
  const sent = { ...opened, sent: 8 };
  const { window, outcome } = after(sent, 20, { kind: "rangeMismatch", size });
  expect(outcome).toBe("resend");
  expect(nextPatch(window, 20)).toMatchObject({ from, to: 20, contentRange: `${from}-19` });
  expect(window.lastContact).toBe(2000);
});

test("a 416 that names all we have: nothing is left to send", () => {
  const { window } = after(opened, 20, { kind: "rangeMismatch", size: 20 });
  expect(nextPatch(window, 20)).toBeUndefined();
});

test("a 416 that names more than we wrote: the rest goes behind it, and no checksum is sent", () => {
  const { window } = after({ ...opened, sent: 8 }, 20, { kind: "rangeMismatch", size: 100 });
  const patch = nextPatch(window, 20);
  expect(patch).toEqual({ from: 8, to: 20, offset: 100, contentRange: "100-111" });
  expect(traceOutput(window, 1, 20)).toEqual({ bytesize: 112 });
  const again = after(window, 20, { kind: "rangeMismatch", size: 103 });
  expect(nextPatch(again.window, 20)).toMatchObject({ from: 11, offset: 103 });
  const lost = after(window, 20, { kind: "rangeMismatch", size: 50 });
  expect(nextPatch(lost.window, 20)).toMatchObject({ from: 0, offset: 50 });
});

test("what somebody else has sent before us is not sent again", () => {
  const inherited = openWindow(1000, 8);
  expect(nextPatch(inherited, 8)).toBeUndefined();
  expect(nextPatch(inherited, 20)).toMatchObject({ from: 8, to: 20, contentRange: "8-19" });
  expect(traceOutput(inherited, 0xab, 20)).toMatchObject({ checksum: "crc32:000000ab" });
});

test("behind what others wrote, a length that no patch of ours has made is not ours, however much we have", () => {
  const { window } = after(openWindow(1000, 8), 20, { kind: "rangeMismatch", size: 15 });
  expect(nextPatch(window, 20)).toMatchObject({ from: 8, offset: 15 });
  expect(traceOutput(window, 1, 20)).toEqual({ bytesize: 27 });
});

test("behind what others wrote, a patch whose answer was lost is known again by its end", () => {
  const lost = after(openWindow(1000, 8), 15, { kind: "unavailable" }).window;
  const { window } = after(lost, 20, { kind: "rangeMismatch", size: 15 });
  expect(nextPatch(window, 20)).toMatchObject({ from: 15, offset: 15 });
  expect(traceOutput(window, 1, 20)).toHaveProperty("checksum");
  const later = after(window, 20, { kind: "accepted" }).window;
  expect(later.unanswered).toEqual([]);
});

test.each([
  ["C35 a positive number", "60", 60],
  ["C35 15 minutes at most", "100000", 900],
  ["C35 zero is ignored", "0", 3],
  ["C35 a negative number is ignored", "-5", 3],
  ["C35 garbage is ignored", "soon", 3],
  ["C35 a fraction is ignored", "1.5", 3],
  ["C35 an empty header is ignored", "", 3],
  ["C35 more than any number is ignored", "9".repeat(40), 3],
  ["C35 no header", undefined, 3],
  ["a number that was read already", 30, 30],
  ["a number that is none", Number.NaN, 3],
])("%s", (_, told, expected) => {
  expect(adoptInterval(3, told)).toBe(expected);
});

test("C35 any answer may tell the interval, and the final update begins with 3 s again", () => {
  expect(opened.intervalSeconds).toBe(3);
  for (const kind of ["accepted", "unavailable"] as const) {
    expect(after(opened, 1, { kind, intervalSeconds: "60" }).window.intervalSeconds).toBe(60);
  }
  const touched = onContact(opened, { intervalSeconds: "20" }, 5000);
  expect(touched).toMatchObject({ intervalSeconds: 20, lastContact: 5000 });
  expect(beginFinal(touched).intervalSeconds).toBe(3);
});

test.each([
  ["C36 30 s of silence are fine", 30_000, false],
  ["C36 more are not", 30_001, true],
  ["C36 nor is a clock that was set back", -3_600_000, true],
])("%s", (_, elapsed, due) => {
  expect(contactIsDue(5_000_000, 5_000_000 + elapsed)).toBe(due);
});

test("C36 C39 the output is told as a checksum of 8 hexadecimal digits and a size", () => {
  expect(traceOutput(opened, 0xcbf43926, 9)).toEqual({ checksum: "crc32:cbf43926", bytesize: 9 });
  expect(formatChecksum(0xab)).toBe("crc32:000000ab");
  expect(formatChecksum(-1)).toBe("crc32:ffffffff");
});

test("C40 after a 412 all of the trace is sent again", () => {
  expect(nextPatch(rewind({ ...opened, sent: 9 }), 9)).toMatchObject({ from: 0, to: 9 });
});

test.each([
  ["running", "go-on"],
  ["", "go-on"],
  [undefined, "go-on"],
  ["canceling", "cancel-gracefully"],
  ["canceled", "abort"],
  ["failed", "abort"],
] as const)("C37 Job-Status %s means %s", (jobStatus, order) => {
  expect(orderOf(jobStatus)).toBe(order);
  expect(after(opened, 1, { kind: "accepted", jobStatus }).order).toBe(order);
  expect(after(opened, 1, { kind: "unavailable", jobStatus }).order).toBe(order);
});

test("C37 a refused patch aborts the job, whatever its status", () => {
  expect(after(opened, 1, { kind: "aborted" }).order).toBe("abort");
});

test("failed final updates are tried again after 1, 2, 4 s and so on, an hour at most", () => {
  expect([1, 2, 3, 4, 20].map(finalRetrySeconds)).toEqual([1, 2, 4, 8, 3600]);
});
