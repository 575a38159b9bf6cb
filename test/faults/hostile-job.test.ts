import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { plainText } from "../harness/project.ts";
import { lastLine, openScene } from "../harness/scene.ts";
import type { Scene } from "../harness/scene.ts";

// The ancestors of a script: the waiter of its stage, the dispatcher, boot. They are of its own user, so that
// it can do to them what it likes; the rest of the machine must not suffer, and GitLab must hear an end.
const ancestors = [
  "parent_of() { sed 's/.*) //' /proc/$1/stat | cut -d' ' -f2; }",
  "waiter=$PPID",
  "dispatcher=$(parent_of $waiter)",
  "boot=$(parent_of $dispatcher)",
  "control=$(dirname $(readlink /proc/$dispatcher/fd/4))",
];
const afterScript = ["echo afterwards"];

async function run(
  script: readonly string[],
  check: (scene: Scene, seen: Seen) => void | Promise<void>,
) {
  const scene = await openScene();
  try {
    const burst = scene.burst();
    const job = await scene.enqueue({ script: [...ancestors, ...script], afterScript });
    const { status, failureReason, exitCode } = await scene.ended(job, 120_000);
    // The runner has survived it, and nothing of the job has.
    expect(await burst.ended).toEqual({ code: 0, signal: null });
    expect(burst.processes()).toEqual([]);
    expect(burst.remains()).toEqual([]);
    const ended = scene.gitlab.job(job.id);
    const text = plainText(ended.trace());
    expect(scene.finalUpdates(job)).toHaveLength(1);
    await check(scene, { status, failureReason, exitCode, text, last: lastLine(ended) });
  } finally {
    await scene.close();
  }
}

interface Seen {
  readonly status: string;
  readonly failureReason: string | undefined;
  readonly exitCode: number | undefined;
  readonly text: string;
  readonly last: string;
}

test.concurrent("a script that stops the dispatcher: nobody answers, and the job ends all the same", () =>
  run(["kill -STOP $dispatcher"], (_scene, seen) => {
    expect(seen).toMatchObject({ status: "failed", failureReason: "runner_system_failure" });
  }));

test.concurrent("a script that kills the shell that waits for it fails like one that was killed, after_script runs", () =>
  run(["kill -9 $waiter", "sleep 300"], (_scene, seen) => {
    expect(seen).toMatchObject({
      status: "failed",
      failureReason: "script_failure",
      exitCode: 137,
    });
    expect(seen.text).toMatch(/^afterwards$/m);
    expect(seen.last).toBe("ERROR: Job failed: exit code 137");
  }));

test.concurrent.each([
  ["the dispatcher", "kill -9 $dispatcher"],
  ["boot", "kill -9 $boot"],
  ["its whole process group", "kill -9 0"],
])("a script that kills %s: GitLab hears of a system failure that says so", (_name, command) =>
  run([command, "sleep 300"], (_scene, seen) => {
    expect(seen).toMatchObject({ status: "failed", failureReason: "runner_system_failure" });
    expect(seen.last).toMatch(
      /^ERROR: Job failed \(system failure\): the job's shell never came up, or was killed/,
    );
  }),
);

test.concurrent.each([
  [
    "fills the events with rubbish",
    [
      "head -c 5000000 /dev/urandom > $control/events",
      "printf 'exit 0 0 rubbish' > $control/events",
    ],
  ],
  [
    "goes on writing rubbish to the events",
    ["(while :; do echo 'exit 1 1'; printf 'lost x'; sleep 0.01; done > $control/events) &"],
  ],
  [
    "fills the commands with rubbish",
    ["seq 1 10000 > $control/cmd", "printf 'run 1' > $control/cmd"],
  ],
  ["removes the control files", ["rm -f $control/cmd $control/out $control/events"]],
  ["removes the control folder", ["rm -rf $control"]],
  [
    "replaces the control files",
    [
      "cd $control",
      "rm -f cmd out events",
      "ln -s /etc/hostname out",
      "echo rubbish > events",
      "mkdir cmd",
    ],
  ],
  ["stops the shell that waits for it", ["kill -STOP $waiter"]],
  ["closes its output", ["exec >/dev/null 2>&1"]],
])("a script that %s still ends green, and after_script runs", (_name, script) =>
  run(script, (_scene, seen) => {
    expect(seen.status).toBe("success");
    expect(seen.text).toMatch(/^afterwards$/m);
    expect(seen.last).toBe("Job succeeded");
  }),
);

test.concurrent("a control folder replaced by a link: nothing stays where it leads", () =>
  run(
    ["rm -rf $control", "mkdir -p $HOME/elsewhere", "ln -s $HOME/elsewhere $control"],
    (scene, seen) => {
      expect(seen.status).toBe("success");
      expect(readdirSync(join(scene.home, "elsewhere"))).toEqual([]);
    },
  ));

test.concurrent("a control folder replaced by a file: after_script cannot run, and the job is told so", () =>
  run(["rm -rf $control", "echo rubbish > $control"], (_scene, seen) => {
    expect(seen.status).toBe("success");
    expect(seen.text).toContain("WARNING: after_script could not be run: ");
    expect(seen.last).toBe("Job succeeded");
  }));

test.concurrent("what lies beside the project cannot lead the runner's removal elsewhere", async () => {
  const scene = await openScene();
  try {
    const kept = join(scene.home, "kept");
    mkdirSync(join(kept, "deep"), { recursive: true });
    const job = await scene.enqueue({
      script: [`rm -rf "$CI_PROJECT_DIR.tmp"`, `ln -s ${kept} "$CI_PROJECT_DIR.tmp"`],
      afterScript,
      variables: [{ key: "FILE", value: "x", file: true, public: true, masked: false, raw: false }],
    });
    const burst = scene.burst();
    const ended = await scene.ended(job);
    expect(ended.status).toBe("success");
    await burst.ended;
    expect(existsSync(join(kept, "deep"))).toBe(true);
    expect(burst.remains()).toEqual([]);
  } finally {
    await scene.close();
  }
});
