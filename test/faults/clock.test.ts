import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { plainText } from "../harness/project.ts";
import { openScene } from "../harness/scene.ts";

/** Loaded first by runner and agent: the wall clock jumps as soon as there is a file that says how far. */
const jumpingClock = (file: string) => `
import { readFileSync } from "node:fs";
const RealDate = Date;
const shift = () => {
  try {
    return Number(readFileSync(${JSON.stringify(file)}, "utf8"));
  } catch {
    return 0;
  }
};
globalThis.Date = class extends RealDate {
  constructor(...values) {
    if (values.length === 0) super(RealDate.now() + shift());
    else super(...values);
  }
  static now() {
    return RealDate.now() + shift();
  }
};
`;

const hour = 3_600_000;

test.concurrent.each([
  ["forward", 5 * hour],
  ["back", -5 * hour],
])(
  "a clock that jumps %s by five hours in mid-job: no early time-out, no wrong duration, the next job too",
  async (_name, milliseconds) => {
    const scene = await openScene();
    try {
      const { home } = scene;
      const preload = join(home, "clock.mjs");
      writeFileSync(preload, jumpingClock(join(home, "jump")));
      const burst = scene.burst({
        preload: [pathToFileURL(preload).href],
        arguments: ["--max-jobs", "2"],
        settings: { check_interval: 1 },
      });
      const job = await scene.enqueue({
        script: [
          "echo in the middle",
          `until [ -e ${home}/go ]; do sleep 0.1; done`,
          "echo the script goes on",
        ],
        afterScript: ["sleep 1", "echo afterwards"],
        variables: { RUNNER_SCRIPT_TIMEOUT: "10m", RUNNER_AFTER_SCRIPT_TIMEOUT: "2m" },
        timeoutSeconds: 1200,
      });
      const before = performance.now();
      await scene.traceHas(job, "in the middle");
      writeFileSync(join(home, "jump"), String(milliseconds));
      await new Promise((resolve) => setTimeout(resolve, 5000));
      writeFileSync(join(home, "go"), "");
      const ended = await scene.ended(job);
      const seconds = (performance.now() - before) / 1000 + 1;
      expect(ended.status).toBe("success");
      expect(plainText(ended.trace())).toContain("the script goes on\n");
      expect(plainText(ended.trace())).toContain("afterwards\n");
      expect(plainText(ended.trace())).not.toContain("WARNING");
      for (const { from, to } of sections(ended.trace().toString())) {
        expect(to - from).toBeGreaterThanOrEqual(0);
        expect(to - from).toBeLessThan(seconds);
      }
      const told = await burst.line(/ success /);
      expect(Number(/ ([\d.]+)s$/.exec(told)?.[1])).toBeLessThan(seconds);
      // Poll loop, hand-off and a new agent live with the clock as it is now.
      const next = await scene.enqueue({ timeoutSeconds: 1200 });
      expect((await scene.ended(next)).status).toBe("success");
      expect(await burst.ended).toEqual({ code: 0, signal: null });
    } finally {
      await scene.close();
    }
  },
);

function sections(trace: string) {
  const starts = new Map(
    [...trace.matchAll(/section_start:(\d+):(\w+)/g)].map(([, at, name]) => [name, Number(at)]),
  );
  return [...trace.matchAll(/section_end:(\d+):(\w+)/g)].map(([, at, name]) => ({
    from: starts.get(name) ?? Number.NaN,
    to: Number(at),
  }));
}
