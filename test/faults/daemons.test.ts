import { expect, test } from "vitest";
import { until } from "../harness/processes.ts";
import { openScene } from "../harness/scene.ts";

/** All that a script can leave behind without taking its environment off. */
const daemons = [
  "setsid sleep 300 &",
  "nohup sleep 301 >/dev/null 2>&1 &",
  "(trap '' TERM HUP INT; setsid sh -c 'trap \"\" TERM HUP INT; while :; do sleep 302; done' &)",
  "(setsid sh -c '(sleep 303 &) &' &)",
  "sh -c 'trap \"\" TERM; while :; do sleep 304; done' &",
  "sh -c 'while :; do setsid sleep 305 & sleep 0.05; done' &",
  "(exec </dev/null >/dev/null 2>&1; setsid sh -c 'exec sleep 306' &)",
  "sleep 1",
  "echo all started",
];

/** Says so, or GitLab's cancel would be heard only with the next sign of life. */
const forEver = ["while :; do echo going on; sleep 1; done"];

function sleepers(commands: readonly { readonly command: string }[]): number {
  return commands.filter(({ command }) => /sleep 30\d/.test(command)).length;
}

test.concurrent("daemons of a script are gone when the job is over", async () => {
  const scene = await openScene();
  try {
    const burst = scene.burst({ arguments: ["--max-jobs", "2"] });
    const job = await scene.enqueue({ script: [...daemons, "sleep 3"] });
    await scene.traceHas(job, "all started");
    expect(sleepers(burst.processes())).toBeGreaterThan(7);
    expect((await scene.ended(job)).status).toBe("success");
    await burst.line(/ success /);
    expect(burst.processes().map(({ pid }) => pid)).toEqual([burst.pid]);
    expect(burst.remains()).toEqual([]);
    const next = await scene.enqueue();
    expect((await scene.ended(next)).status).toBe("success");
    await burst.ended;
  } finally {
    await scene.close();
  }
});

test.concurrent("daemons that ignore TERM are gone after a cancel, before after_script begins", async () => {
  const scene = await openScene();
  try {
    const burst = scene.burst();
    const job = await scene.enqueue({
      script: [...daemons, ...forEver],
      afterScript: [
        "echo \"left: $(cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c 'sleep 30[1-7]')\"",
      ],
      variables: { FF_TIMESTAMPS: "false" },
    });
    await scene.traceHas(job, "all started");
    scene.gitlab.cancel(job.id);
    const ended = await scene.ended(job);
    expect(ended.status).toBe("canceled");
    await burst.line(/ canceled /);
    expect(burst.processes().filter(({ command }) => /sleep/.test(command))).toEqual([]);
    expect(burst.remains()).toEqual([]);
    await burst.ended;
    await until("the end of all", () => burst.processes().length === 0);
  } finally {
    await scene.close();
  }
});

test.concurrent("a force-cancel ends them all at once, without after_script", async () => {
  const scene = await openScene();
  try {
    const burst = scene.burst();
    const job = await scene.enqueue({
      script: [...daemons, ...forEver],
      afterScript: ["echo afterwards"],
    });
    await scene.traceHas(job, "all started");
    scene.gitlab.cancel(job.id, { force: true });
    await burst.line(/ canceled /);
    expect(burst.processes().filter(({ command }) => /sleep/.test(command))).toEqual([]);
    expect(burst.remains()).toEqual([]);
    await burst.ended;
    expect(scene.gitlab.job(job.id).trace().toString()).not.toContain("afterwards");
  } finally {
    await scene.close();
  }
});
