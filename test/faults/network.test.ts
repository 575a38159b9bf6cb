import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { JobView } from "../../src/stand-in/views.ts";
import { pause, until } from "../harness/processes.ts";
import { plainText } from "../harness/project.ts";
import { openScene } from "../harness/scene.ts";
import type { Scene } from "../harness/scene.ts";

const outageMs = 90_000;

/** Prints numbered lines until it may go, then what it has printed, for GitLab to be compared with. */
function countsUntilGo(home: string): string {
  return `i=0; until [ -e ${home}/go ]; do i=$((i+1)); echo "line $i of a log"; sleep 0.05; done; echo "all $i"`;
}

function letGo(scene: Scene) {
  writeFileSync(join(scene.home, "go"), "");
}

/** Not a byte lost, not a byte doubled, and GitLab was told the right sum of them. */
function expectWhole(job: JobView) {
  const lines = plainText(job.trace()).split("\n");
  const count = Number(/^all (\d+)$/m.exec(lines.join("\n"))?.[1]);
  const wanted = Array.from({ length: count }, (_, index) => `line ${index + 1} of a log`);
  expect(lines.filter((line) => /^line \d+ of/.test(line))).toEqual(wanted);
  expect(lines.filter((line) => /^(Job succeeded|Running with)/.test(line))).toHaveLength(2);
  expect(job.reported).toEqual({ checksum: job.traceChecksum, bytesize: job.traceSize });
}

async function proxied(body: (scene: Scene) => Promise<void>) {
  const scene = await openScene({ proxied: true });
  try {
    await body(scene);
  } finally {
    await scene.close();
  }
}

const outages = {
  "its port is closed": {
    begin: ({ proxy }: Scene) => proxy.goAway(),
    end: ({ proxy }: Scene) => proxy.comeBack(),
  },
  "it answers 503 to everything": {
    begin: async ({ gitlab }: Scene) =>
      gitlab.addFault({ match: "* /api/v4/", times: 1_000_000, status: 503 }),
    end: async ({ gitlab }: Scene) => gitlab.clearFaults(),
  },
};

test.concurrent.each(Object.entries(outages))(
  "GitLab away for 90 s in mid-job (%s): the job ends green, its trace whole",
  (_name, outage) =>
    proxied(async (scene) => {
      const job = await scene.enqueue({ script: [countsUntilGo(scene.home)] });
      const burst = scene.burst();
      await scene.traceHas(job, "line 3 of a log");
      await outage.begin(scene);
      const size = scene.gitlab.job(job.id).traceSize;
      await pause(outageMs);
      expect(scene.gitlab.job(job.id).traceSize).toBe(size);
      await outage.end(scene);
      await until("the trace to go on", () => scene.gitlab.job(job.id).traceSize > size);
      letGo(scene);
      const ended = await scene.ended(job);
      expect(ended.status).toBe("success");
      expectWhole(ended);
      expect(await burst.ended).toEqual({ code: 0, signal: null });
      expect(scene.finalUpdates(job)).toHaveLength(1);
    }),
);

test.concurrent("GitLab away when the job ends: its rest and its result are told when GitLab is back", () =>
  proxied(async (scene) => {
    const job = await scene.enqueue({ script: [countsUntilGo(scene.home)] });
    const burst = scene.burst();
    await scene.traceHas(job, "line 3 of a log");
    await scene.proxy.goAway();
    letGo(scene);
    await pause(10_000);
    expect(burst.agent()).toBeDefined();
    await scene.proxy.comeBack();
    const ended = await scene.ended(job);
    expect(ended.status).toBe("success");
    expectWhole(ended);
    expect(await burst.line(/ success /)).toContain(`job ${job.id} success`);
    await burst.ended;
    expect(scene.finalUpdates(job)).toHaveLength(1);
  }));

const interferences = {
  "cut in the middle of its body": { at: { requestBytes: 900 }, effect: "cut", times: 3 },
  "cut in the middle of its head": { at: { requestBytes: 100 }, effect: "cut", times: 3 },
  "cut when GitLab had appended it and was about to answer": {
    at: "answer",
    effect: "cut",
    times: 3,
  },
  "frozen in the middle of its body": { at: { requestBytes: 900 }, effect: "freeze" },
  "frozen when GitLab had appended it": { at: "answer", effect: "freeze" },
} as const;

test.concurrent.each(Object.entries(interferences))(
  "a PATCH %s: nothing of the trace is lost or doubled",
  (_name, interference) =>
    proxied(async (scene) => {
      const job = await scene.enqueue({ script: [countsUntilGo(scene.home)] });
      const burst = scene.burst();
      await scene.traceHas(job, "line 3 of a log");
      const { times } = { times: 1, ...interference };
      scene.proxy.interfere({ request: /^PATCH /, ...interference });
      await until("the interferences", () => scene.proxy.interfered === times);
      const size = scene.gitlab.job(job.id).traceSize;
      await until("the trace to go on", () => scene.gitlab.job(job.id).traceSize > size);
      letGo(scene);
      const ended = await scene.ended(job);
      expect(ended.status).toBe("success");
      expectWhole(ended);
      await burst.ended;
    }),
);

test.concurrent("the answer to the final PUT lost: asked again, GitLab's no is taken for a yes", () =>
  proxied(async (scene) => {
    const job = await scene.enqueue({ script: [countsUntilGo(scene.home)] });
    const burst = scene.burst();
    await scene.traceHas(job, "line 3 of a log");
    scene.proxy.interfere({ request: /^PUT /, at: "answer", effect: "cut" });
    letGo(scene);
    expect(await burst.line(/ (success|failed|canceled) /)).toContain(`job ${job.id} success`);
    expect(await burst.ended).toEqual({ code: 0, signal: null });
    expect(scene.proxy.interfered).toBe(1);
    const ended = await scene.ended(job);
    expect(ended.status).toBe("success");
    expectWhole(ended);
  }));

test.concurrent("a cancel while a PATCH hangs without an answer is heard on another connection within a minute", () =>
  proxied(async (scene) => {
    const job = await scene.enqueue({
      script: [countsUntilGo(scene.home)],
      afterScript: ["echo afterwards"],
    });
    const burst = scene.burst();
    await scene.traceHas(job, "line 3 of a log");
    scene.proxy.interfere({ request: /^PATCH /, at: "answer", effect: "freeze" });
    await until("the frozen PATCH", () => scene.proxy.interfered === 1);
    scene.gitlab.cancel(job.id);
    const ended = await scene.ended(job);
    expect(ended.status).toBe("canceled");
    expect(plainText(ended.trace())).toContain("afterwards");
    expect(await burst.line(/ canceled /)).toContain(`job ${job.id} canceled`);
    await burst.ended;
  }));

test.concurrent("an upload cut in the middle, then without an answer: the artifact arrives once, whole", () =>
  proxied(async (scene) => {
    const job = await scene.enqueue({
      script: ["head -c 3000000 /dev/urandom > random.bin"],
      artifacts: [{ paths: ["random.bin"] }],
    });
    const upload = /^POST .*\/artifacts/;
    scene.proxy.interfere({ request: upload, at: { requestBytes: 1_000_000 }, effect: "cut" });
    scene.proxy.interfere({ request: upload, at: "answer", effect: "cut" });
    const burst = scene.burst();
    const ended = await scene.ended(job);
    expect(scene.proxy.interfered).toBe(2);
    expect(ended.status).toBe("success");
    expect(ended.artifacts).toHaveLength(1);
    expect(ended.artifacts[0]!.size).toBeGreaterThan(3_000_000);
    expect(plainText(ended.trace())).toContain("trying again");
    await burst.ended;
    expect(burst.remains()).toEqual([]);
  }));
