import { expect, test } from "vitest";
import { memoryPeak } from "../harness/burst-process.ts";
import { pause, until } from "../harness/processes.ts";
import { plainText } from "../harness/project.ts";
import { openScene } from "../harness/scene.ts";

const mebibyte = 1024 * 1024;

test("a trace of random bytes is stored as valid UTF-8, and GitLab is told its checksum and size", async () => {
  const scene = await openScene();
  try {
    const burst = scene.burst();
    const job = await scene.enqueue({
      script: [
        "head -c 1000000 /dev/urandom",
        // Halves of characters, a line without an end, and what looks like a mark of boot's.
        "printf '\\303'; sleep 0.2; printf '\\244\\360\\237'; sleep 0.2; printf '\\230\\200\\n'",
        "printf '\\000burst-end \\000\\376\\377 tail'",
      ],
    });
    const ended = await scene.ended(job);
    expect(ended.status).toBe("success");
    const trace = ended.trace();
    expect(() => new TextDecoder("utf8", { fatal: true }).decode(trace)).not.toThrow();
    expect(trace.length).toBeGreaterThan(1_000_000);
    expect(ended.reported).toEqual({ checksum: ended.traceChecksum, bytesize: ended.traceSize });
    expect(trace.toString()).toContain("ä😀");
    expect(trace.toString()).toMatch(/ tail\n/);
    expect(plainText(trace).trimEnd().split("\n").at(-1)).toBe("Job succeeded");
    await burst.ended;
  } finally {
    await scene.close();
  }
});

test.each([
  ["in lines", "{ yes 'a line of a very long log, and another one' || :; }"],
  ["without a single line's end", "{ tr '\\0' x </dev/zero || :; }"],
])(
  "500 MB of output %s: the agent stays below 150 MB, the log says where it stopped, the job is green",
  async (_name, source) => {
    const scene = await openScene();
    try {
      const burst = scene.burst();
      const job = await scene.enqueue({
        script: [`${source} | head -c 500000000`, "echo this is not seen"],
      });
      const agent = await until("an agent", () => burst.agent());
      let peak = 0;
      while (burst.agent() !== undefined) {
        peak = Math.max(peak, memoryPeak(agent.pid) ?? 0);
        await pause(20);
      }
      const ended = await scene.ended(job);
      expect(ended.status).toBe("success");
      expect(peak).toBeGreaterThan(20 * mebibyte);
      expect(peak).toBeLessThan(150 * mebibyte);
      const text = ended.trace().toString();
      // Not contain: a failure shall not print all of it.
      expect(text.includes(`Job's log exceeded limit of ${4 * mebibyte} bytes.`)).toBe(true);
      expect(text.includes("this is not seen\n")).toBe(false);
      expect(ended.traceSize).toBeLessThan(4 * mebibyte + 200);
      expect(ended.reported).toEqual({ checksum: ended.traceChecksum, bytesize: ended.traceSize });
      await burst.ended;
    } finally {
      await scene.close();
    }
  },
);
