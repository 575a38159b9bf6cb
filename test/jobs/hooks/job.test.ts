import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { job, trace } = await runFolder(import.meta.url, {
  settings: {
    pre_get_sources_script: "echo 'settings, before'",
    post_get_sources_script: "echo 'settings, after'",
  },
});

test("hooks run around git: the settings' outermost, the job's within", () => {
  const text = trace("both");
  const order = [
    "Getting source from Git repository",
    "\nsettings, before",
    "\njob, before; there are 0 files",
    "Fetching changes",
    "Checking out",
    "\njob, after, in hooks with the file",
    "\nsettings, after",
    'Executing "step_script"',
  ];
  const places = order.map((part) => text.indexOf(part));
  expect(places).not.toContain(-1);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
});

test("a hook that fails ends the job with its exit code, before any script", () => {
  expect(job("refuses")).toMatchObject({
    status: "failed",
    failureReason: "script_failure",
    exitCode: 12,
  });
  expect(trace("refuses")).not.toMatch(/\nnever/);
});

test("without git there is nothing to hook into", () => {
  expect(job("without sources").status).toBe("success");
  expect(trace("without sources")).not.toMatch(/\nnever/);
});
