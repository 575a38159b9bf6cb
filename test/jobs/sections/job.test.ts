import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { job, trace } = await runFolder(import.meta.url, {
  raw: [{ name: "no folding", payload: { features: { trace_sections: false } } }],
});

function marks(name: string, kind: "start" | "end"): readonly string[] {
  const text = job(name).trace().toString();
  return [...text.matchAll(/section_(start|end):(\d+):(\w+)\r\u001B\[0K/g)]
    .filter(([, which]) => which === kind)
    .map(([, , , section = ""]) => section);
}

const all = [
  "prepare_executor",
  "prepare_script",
  "get_sources",
  "step_script",
  "after_script",
  "upload_artifacts_on_success",
  "cleanup_file_variables",
];

test("stages come in GitLab's order and under GitLab's names, each begun and ended", () => {
  expect(marks("all of them", "start")).toEqual(all);
  expect(marks("all of them", "end")).toEqual(all);
});

test("their titles are GitLab's, in bold cyan", () => {
  const text = job("all of them").trace().toString();
  for (const title of [
    'Preparing the "process" executor',
    "Preparing environment",
    "Getting source from Git repository",
    'Executing "step_script" stage of the job script',
    "Running after_script",
    "Uploading artifacts for successful job",
    "Cleaning up project directory and file based variables",
  ]) {
    expect(text).toContain(`\u001B[0K\u001B[36;1m${title}\u001B[0;m`);
  }
});

test("a stage that has nothing to do shows nothing", () => {
  const none = ["after_script", "upload_artifacts_on_success"];
  const some = all
    .filter((section) => !none.includes(section))
    .toSpliced(3, 0, "download_artifacts");
  expect(marks("few of them", "start")).toEqual(some);
});

test("a GitLab that cannot fold gets the titles as plain lines", () => {
  expect(marks("no folding", "start")).toEqual([]);
  expect(trace("no folding")).toContain("\nGetting source from Git repository\n");
});

test("the head says which runner this is", () => {
  expect(trace("few of them")).toMatch(
    /^Running with gitlab-burst 0\.0\.0\n {2}on test runner [\w-]{9}, system ID: [rs]_\w{12}\n/,
  );
});
