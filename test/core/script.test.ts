import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { defaultFeatureFlags } from "../../src/core/feature-flags.ts";
import { gitlabEnvFile } from "../../src/core/script-exports.ts";
import { debugTrace, stageScript, stepCommands } from "../../src/core/script.ts";
import type { StageScript } from "../../src/core/script.ts";
import { jobVariables } from "../../src/core/variables.ts";
import { buildJob } from "./build-job.ts";
import { makeFolder, runProgram, shells } from "./run-shell.ts";
import type { Shell } from "./run-shell.ts";

const folder = makeFolder();
afterAll(() => rmSync(folder, { recursive: true }));
let projects = 0;

function stage(commands: readonly string[], more: Partial<StageScript> = {}): StageScript {
  projects += 1;
  const projectDir = join(folder, `project ${projects}'s`);
  mkdirSync(projectDir);
  return {
    kind: "script",
    commands,
    exports: new Map(),
    projectDir,
    tempDir: `${projectDir}.tmp`,
    shellTrace: false,
    featureFlags: defaultFeatureFlags,
    traceSections: true,
    nowUnixSeconds: 1_700_000_000,
    ...more,
  };
}

function run(shell: Shell, commands: readonly string[], more: Partial<StageScript> = {}) {
  return runProgram(shell, stageScript(stage(commands, more)));
}

const green = (text: string) => `\x1b[32;1m${text}\x1b[0;m\n`;

interface Case {
  readonly rule: string;
  readonly commands: readonly string[];
  readonly status: number;
  /** Without the lines that only show a command. */
  readonly prints?: string;
}

const cases: readonly Case[] = [
  { rule: "a good script ends with 0", commands: ["true"], status: 0, prints: "" },
  { rule: "C50 exit 3 ends the stage with 3", commands: ["exit 3"], status: 3 },
  {
    rule: "a failing command ends the script with its status",
    commands: ["sh -c 'exit 42'", "echo not reached"],
    status: 42,
    prints: "",
  },
  {
    rule: "exit 0 ends the script well, and early",
    commands: ["exit 0", "false"],
    status: 0,
    prints: "",
  },
  {
    rule: "a failure that is asked about is none",
    commands: ["false || echo so", "if false; then :; fi", "! true || :"],
    status: 0,
    prints: "so\n",
  },
  {
    rule: "a command that does not exist ends with 127",
    commands: ["no-such-command"],
    status: 127,
  },
  {
    rule: "all lines share one shell",
    commands: ["X=1", "f() { echo f$X; }", "cd /", "f; pwd"],
    status: 0,
    prints: "f1\n/\n",
  },
  {
    rule: "a script's standard input is empty",
    commands: ["read -r line || echo nothing", "cat"],
    status: 0,
    prints: "nothing\n",
  },
  {
    rule: "a command in several lines runs as one",
    commands: ["if true\nthen\n  echo inside\nfi"],
    status: 0,
    prints: "inside\n",
  },
  {
    rule: "a here-document is taken as it stands",
    commands: ["cat <<'END'\n$HOME `x` 'y' \\z\nEND\n"],
    status: 0,
    prints: "$HOME `x` 'y' \\z\n",
  },
  {
    rule: "a here-document at the last line of an entry does not swallow the next",
    commands: ["cat <<END\n  one\nEND", "echo two"],
    status: 0,
    prints: "  one\ntwo\n",
  },
  {
    rule: "a comment is no trouble",
    commands: ["# only a comment", "echo after # and here"],
    status: 0,
    prints: "after\n",
  },
  {
    rule: "a script may take errexit back",
    commands: ["set +e", "false", "echo on"],
    status: 0,
    prints: "on\n",
  },
  {
    rule: "a file may be written over",
    commands: ["echo a >f", "echo b >f", "cat f"],
    status: 0,
    prints: "b\n",
  },
  {
    rule: "our own names are gone",
    commands: ["set | grep '^burst_' || echo none"],
    status: 0,
    prints: "none\n",
  },
  { rule: "no commands are a good script", commands: [], status: 0, prints: "" },
];

const inEveryShell = shells.flatMap((shell) => cases.map((one) => ({ shell, ...one })));

test.each(inEveryShell)("$shell.name: $rule", async ({ shell, commands, status, prints }) => {
  const ran = await run(shell, commands);
  expect(ran.status).toBe(status);
  const printed = ran.output.replaceAll(/\x1b\[32;1m.*\x1b\[0;m\n/g, "");
  expect(printed).toBe(prints ?? printed);
});

test.each(shells)(
  "C51 $name: false | true fails exactly where there is pipefail",
  async (shell) => {
    const { status } = await run(shell, ["false | true"]);
    expect(status).toBe(shell.pipefail ? 1 : 0);
  },
);

test.each(shells)("$name: a syntax error fails the stage", async (shell) => {
  const { status } = await run(shell, ["echo fine", "if then ((", "echo later"]);
  expect(status).toBeGreaterThan(0);
});

test.each(shells)("$name: an unfinished quote fails the stage", async (shell) => {
  const { status } = await run(shell, ['echo "unfinished']);
  expect(status).toBeGreaterThan(0);
});

test.each(shells)("$name: every value arrives as it was", async (shell) => {
  const exports = new Map([
    ["QUOTES", `it's "so" \`id\` $(id) $HOME \\n`],
    ["LINES", "one\ntwo\n\n"],
    ["EMPTY", ""],
    ["UNICODE", "ünï 漢字 🚀"],
    ["CDPATH", "/"],
    ["IFS", "x"],
  ]);
  const unusable = ["not-a-name", "1ST", "UID", ""];
  const all = new Map([...exports, ...unusable.map((key) => [key, "never seen"] as const)]);
  const show = `'${process.execPath}' -p 'JSON.stringify(process.env)'`;
  const { output, status } = await run(shell, [show], { exports: all });
  expect(status).toBe(0);
  expect(JSON.parse(output.trim().split("\n").at(-1) ?? "")).toMatchObject(
    Object.fromEntries(exports),
  );
  expect(output).not.toContain("never seen");
});

test.each(shells)("$name: the script begins in the project directory", async (shell) => {
  const made = stage(["pwd"]);
  const { output } = await runProgram(shell, stageScript(made));
  expect(output).toBe(`${green("$ pwd")}${made.projectDir}\n`);
});

test.each(shells)("$name: without a project directory it begins where it is", async (shell) => {
  const made = stage(["echo there"], { kind: "pre_get_sources", projectDir: undefined });
  expect((await runProgram(shell, stageScript(made))).status).toBe(0);
});

test.each(shells)("$name: a missing project directory fails the stage", async (shell) => {
  const { status } = await run(shell, ["echo x"], { projectDir: join(folder, "missing") });
  expect(status).toBeGreaterThan(0);
});

test.each(shells)("$name: commands are shown in bold green before they run", async (shell) => {
  const { output } = await run(shell, ["  : 'a\\nb' $HOME  \n", " ", "printf '%s' x\nprintf y"]);
  const shown = ["$ : 'a\\nb' $HOME", "$ printf '%s' x # collapsed multi-line command"].map(green);
  expect(output).toBe(`${shown.join("\n")}xy`);
});

test.each(shells)("$name: with FF_SCRIPT_SECTIONS several lines fold", async (shell) => {
  const featureFlags = { ...defaultFeatureFlags, FF_SCRIPT_SECTIONS: true };
  const { output } = await run(shell, ["echo 1", "echo 2\necho 3"], { featureFlags });
  expect(output).toBe(
    [
      green("$ echo 1"),
      "1\n",
      "section_start:1700000000:section_script_step_1[collapsed=true,hide_duration=true]\r\x1b[0K",
      green("$ echo 2\necho 3"),
      "section_end:1700000000:section_script_step_1\r\x1b[0K\n",
      "2\n3\n",
    ].join(""),
  );
});

test("lines do not fold where GitLab knows no sections", () => {
  const featureFlags = { ...defaultFeatureFlags, FF_SCRIPT_SECTIONS: true };
  const program = stageScript(stage(["a\nb"], { featureFlags, traceSections: false }));
  expect(program).not.toContain("section_start");
  expect(program).toContain("# collapsed multi-line command");
});

test.each(shells)("$name: the settings' scripts stand around the job's", async (shell) => {
  const around = { preBuildScript: "echo pre", postBuildScript: "echo post" };
  const { output } = await run(shell, ["echo job"], around);
  const shown = ["pre", "job", "post"].map((word) => `${green(`$ echo ${word}`)}${word}\n`);
  expect(output).toBe(shown.join(""));
});

test.each(shells)(
  "$name: after_script says so first, and has no scripts around it",
  async (shell) => {
    const { output } = await run(shell, ["echo after"], {
      kind: "after_script",
      preBuildScript: "echo pre",
      postBuildScript: "echo post",
    });
    expect(output).toBe(`${green("Running after script...")}${green("$ echo after")}after\n`);
  },
);

test.each(shells)(
  "$name: FF_ENABLE_BASH_EXIT_CODE_CHECK stops even without errexit",
  async (shell) => {
    const featureFlags = { ...defaultFeatureFlags, FF_ENABLE_BASH_EXIT_CODE_CHECK: true };
    const { status, output } = await run(shell, ["set +e", "(exit 5)", "echo not here"], {
      featureFlags,
    });
    expect(status).toBe(5);
    expect(output).not.toContain("not here\n");
  },
);

test.each(shells)("$name: CI_DEBUG_TRACE shows every command as it runs", async (shell) => {
  const exports = new Map([["SEEN", "yes"]]);
  const { output } = await run(shell, ["true $SEEN"], { shellTrace: true, exports });
  expect(output).toContain("+ true yes\n");
  expect(output).toMatch(/^\++ export '?SEEN=/m);
});

test.each(shells)(
  "$name: what one stage puts into GITLAB_ENV the next one exports",
  async (shell) => {
    const first = stage(['echo "A=b c" >>"$GITLAB_ENV"', 'printf "B=d=e" >>"$GITLAB_ENV"']);
    expect((await runProgram(shell, stageScript(first))).status).toBe(0);
    const second = { ...first, commands: ["sh -c 'echo \"<$A><$B>\"'"] };
    expect((await runProgram(shell, stageScript(second))).output).toMatch(/<b c><d=e>\n$/);
  },
);

test.each(shells)("$name: GITLAB_ENV beats a variable of that name", async (shell) => {
  const made = stage(["echo $A"], { exports: new Map([["A", "old"]]) });
  mkdirSync(made.tempDir);
  writeFileSync(gitlabEnvFile(made.tempDir), "A=new\n");
  expect((await runProgram(shell, stageScript(made))).output).toMatch(/new\n$/);
});

test.each(shells)("$name: lines in GITLAB_ENV that are no assignment do no harm", async (shell) => {
  const made = stage(["echo $GOOD"]);
  mkdirSync(made.tempDir);
  const file = gitlabEnvFile(made.tempDir);
  appendFileSync(
    file,
    "\nnothing\nbad name=1\n1X=2\n=3\n#c\nUID=7\n-n=1\n$(touch hacked)=1\nGOOD=fine\n",
  );
  const { output, status } = await runProgram(shell, stageScript(made));
  expect(status).toBe(0);
  expect(output).toMatch(/fine\n$/);
  expect(existsSync(join(made.projectDir ?? "", "hacked"))).toBe(false);
});

test.each(shells)(
  "$name: TERM to all of it ends it at once and spills no exports",
  async (shell) => {
    const exports = new Map([["SECRET", "do-not-show-me"]]);
    let sent = false;
    const made = stageScript(stage(["echo began", "sleep 30"], { exports }));
    const { status, output } = await runProgram(shell, made, {
      onOutput: (sofar, pid) => {
        if (sent || !sofar.includes("began\n") || !sofar.includes("sleep 30")) return;
        sent = true;
        process.kill(-pid, "SIGTERM");
      },
    });
    expect(status).not.toBe(0);
    expect(output).not.toContain("do-not-show-me");
  },
);

test.each(shells)("$name: a program on standard input works as well", async (shell) => {
  const inner = stageScript(stage(["cat", "echo end", "exit 9"]));
  const file = join(folder, `stdin-${shell.name.replace(" ", "-")}`);
  writeFileSync(file, inner);
  const { status, output } = await runProgram(shell, `${shell.command.join(" ")} <'${file}'`);
  expect(status).toBe(9);
  expect(output).toContain("end\n");
});

test("a script of many lines and a large variable runs", async () => {
  const commands = Array.from({ length: 300 }, (_, index) => `: line ${index}`);
  const exports = new Map([["BIG", "x".repeat(100_000)]]);
  for (const shell of shells) {
    const { output, status } = await run(shell, [...commands, "echo ${#BIG}"], { exports });
    expect(status).toBe(0);
    expect(output).toMatch(/100000\n$/);
  }
});

test("a program holds no byte that a file would not keep", () => {
  const made = stage(["echo 'ü\\x'"]);
  const file = join(folder, "kept");
  writeFileSync(file, stageScript(made));
  expect(readFileSync(file, "utf8")).toBe(stageScript(made));
});

test("the runner puts the variables into a release step, and into no other", () => {
  const job = buildJob({
    steps: [
      { name: "script", script: ["echo $A"] },
      { name: "release", script: ["release-cli --name $A"] },
    ],
  });
  const variables = jobVariables([{ key: "A", value: "v1" }], { tempDir: "/t" });
  expect(job.steps.map((step) => stepCommands(step, variables))).toEqual([
    ["echo $A"],
    ["release-cli --name v1"],
  ]);
});

test.each([
  ["traces nothing by default", "", false, false, /^$/],
  ["traces when CI_DEBUG_TRACE is true", "true", false, true, /^$/],
  ["traces nothing where the settings forbid it, and says so", "1", true, false, /switched off/],
  ["warns of an unreadable value", "please", false, false, /must be true or false/],
])("a shell %s", (_rule, value, forbidden, on, warning) => {
  const variables = jobVariables([{ key: "CI_DEBUG_TRACE", value }], { tempDir: "/t" });
  const reading = debugTrace(variables, forbidden);
  expect(reading.value).toBe(on);
  expect(reading.warning ?? "").toMatch(warning);
});
