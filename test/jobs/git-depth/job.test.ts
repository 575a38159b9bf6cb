import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { trace, pipeline } = await runFolder(import.meta.url, {
  async push(gitlab, folder) {
    const project = await gitlab.addProject(folder);
    for (const text of ["second", "third"]) {
      writeFileSync(join(folder, "file.txt"), text);
      await gitlab.commitFolder(project.id);
    }
    return project;
  },
});

test("GIT_DEPTH says how much of the history is fetched, 0 all of it", () => {
  expect(trace("one")).toContain("\nFetching changes with git depth set to 1...\n");
  expect(trace("one")).toContain("\ncommits 1, shallow true\n");
  expect(trace("all")).toContain("\nFetching changes...\n");
  expect(trace("all")).toContain("\ncommits 3, shallow false\n");
});

test("the job's commit is checked out, on no branch", () => {
  expect(trace("with flags")).toContain(`\nref detached at ${pipeline.sha} of ${pipeline.sha}\n`);
  const line = `Checking out ${pipeline.sha.slice(0, 8)} as detached HEAD (ref is main)...`;
  expect(trace("with flags")).toContain(`\n${line}\n`);
});
