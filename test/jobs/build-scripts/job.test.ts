import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { job, trace } = await runFolder(import.meta.url, {
  settings: { pre_build_script: "early=set", post_build_script: 'echo "settings, after [$early]"' },
});

test("pre_build_script and post_build_script run around the script, in its shell", () => {
  const text = trace("passes");
  expect(text).toMatch(/\n\$ early=set\n\$ echo[^\n]*\nvariable \[set\] in \S+\/build-scripts\n/);
  expect(text).toContain("\nsettings, after [set]\n");
});

test("after_script has neither", () => {
  expect(trace("passes")).toContain("\nvariable then []\n");
  expect(trace("passes").split("settings, after [set]")).toHaveLength(2);
});

test("a script that fails ends before post_build_script", () => {
  expect(job("fails")).toMatchObject({ status: "failed", exitCode: 8 });
  expect(trace("fails")).not.toContain("settings, after [set]");
});
