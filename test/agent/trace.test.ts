import { expect, test } from "vitest";
import { openTrace } from "../../src/agent/trace.ts";
import type { TraceSettings } from "../../src/agent/trace.ts";
import { memorySpool } from "./memory-spool.ts";

const stamp = "2024-05-22T12:43:46.962000Z";

function newTrace(settings: Partial<TraceSettings> = {}) {
  const spool = memorySpool();
  const mirrored: Uint8Array[] = [];
  const trace = openTrace(spool, (bytes) => mirrored.push(bytes), {
    secrets: [],
    tokenPrefixes: ["glpat-"],
    timestamps: false,
    sections: true,
    limitBytes: 1024 * 1024,
    now: () => Date.parse(stamp),
    ...settings,
  });
  return {
    trace,
    spooled: () => Buffer.from(spool.read(0, spool.size)).toString(),
    mirrored: () => Buffer.concat(mirrored).toString(),
    print: (text: string) => trace.output.write(Buffer.from(text)),
  };
}

test("the runner's lines have GitLab's colours", () => {
  const { trace, spooled } = newTrace();
  trace.log.line("plain");
  trace.log.info("what is going on");
  trace.log.warning("careful");
  trace.log.error("wrong");
  expect(spooled()).toBe(
    "\u001B[0Kplain\u001B[0;m\n" +
      "\u001B[32;1mwhat is going on\u001B[0;m\n" +
      "\u001B[0;33mWARNING: careful\u001B[0;m\n" +
      "\u001B[31;1mERROR: wrong\u001B[0;m\n",
  );
});

test("C46 the runner's lines are stream 00, scripts' and git's 01, services' 0f and up", () => {
  const { trace, spooled, print } = newTrace({ timestamps: true });
  trace.log.line("ours");
  print("theirs\n");
  trace.log.output(Buffer.from("git's\n"));
  trace.service("db", "ready");
  trace.service("cache", "ready");
  const streams = spooled()
    .split("\n")
    .map((line) => line.slice(0, 32));
  expect(streams).toEqual([
    `${stamp} 00O `,
    `${stamp} 01O `,
    `${stamp} 01O `,
    `${stamp} 0fO `,
    `${stamp} 10O `,
    "",
  ]);
});

test("a line of the runner's own never lands within a line of the job's", () => {
  const { trace, spooled, print } = newTrace({ timestamps: true });
  print("half a line");
  trace.log.line("ours");
  print(", and the rest\n");
  expect(
    spooled()
      .split("\n")
      .map((line) => line.slice(32)),
  ).toEqual(["\u001B[0Kours\u001B[0;m", "half a line, and the rest", ""]);
});

test("C43 a secret is masked in either stream, also when it comes in two writes", () => {
  const { trace, spooled, print } = newTrace({ secrets: ["s3cret", "s3cret-and-more"] });
  print("a s3c");
  print("ret b s3cret-and-m");
  print("ore c\n");
  trace.log.error("it was s3cret");
  expect(spooled()).toContain("a [MASKED] b [MASKED] c\n");
  expect(spooled()).toContain("it was [MASKED]");
  expect(spooled()).not.toContain("s3cret");
});

test("the end of a section hands on what was held back", () => {
  const { trace, spooled, print } = newTrace({ secrets: ["s3cret"] });
  trace.startSection("step_script", "Executing");
  print("no line end s3cr");
  expect(spooled()).not.toContain("s3cr");
  trace.endSection("step_script");
  const seconds = Math.floor(Date.parse(stamp) / 1000);
  expect(spooled()).toBe(
    `section_start:${String(seconds)}:step_script\r\u001B[0K\u001B[0K\u001B[36;1mExecuting\u001B[0;m\u001B[0;m\n` +
      `no line end s3cr` +
      `section_end:${String(seconds)}:step_script\r\u001B[0K`,
  );
});

test("a GitLab that cannot fold gets a section's title alone", () => {
  const { trace, spooled } = newTrace({ sections: false });
  trace.startSection("step_script", "Executing");
  trace.endSection("step_script");
  expect(spooled()).toBe("\u001B[0KExecuting\u001B[0;m\n");
});

test("who watches the agent sees what GitLab sees, and later changes of a buffer change nothing", () => {
  const { trace, spooled, mirrored } = newTrace({ secrets: ["s3cret"] });
  const buffer = Buffer.from("told s3cret\n");
  trace.output.write(buffer);
  buffer.fill("x");
  trace.output.write(Buffer.from("more\n"));
  expect(mirrored()).toBe("told [MASKED]\nmore\n");
  expect(spooled()).toBe(mirrored());
});

test("C47 the limit is one for all streams, its notice is said once, and what follows is counted", () => {
  const { trace, spooled, print } = newTrace({ limitBytes: 20 });
  print("0123456789\n");
  trace.log.info("over the limit by now");
  print("dropped\n");
  trace.log.error("dropped as well");
  expect(spooled().split("exceeded limit of 20 bytes")).toHaveLength(2);
  expect(spooled()).toMatch(/^0123456789\n.{9}\n.*Job's log exceeded/s);
  expect(spooled()).not.toContain("dropped");
  expect(trace.droppedBytes).toBeGreaterThan("dropped\n".length);
});
