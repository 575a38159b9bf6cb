import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";
import { archiveOf, artifactOf, artifactTypes } from "../artifact-content.ts";

const { job, trace, requests } = await runFolder(import.meta.url);

test("paths are kept with their folders, exclude takes some out, links stay links", async () => {
  expect(await archiveOf(job("paths"))).toEqual({
    "out/": "",
    "out/a.txt": "a\n",
    "out/deep/": "",
    "out/deep/b.txt": "b\n",
    "out/link": "a.txt",
    "build.log": "log\n",
  });
  expect(job("paths").status).toBe("success");
});

test("the archive is named by artifacts:name, and GitLab hears when it expires", () => {
  const archive = artifactOf(job("paths"), "archive");
  expect(archive).toMatchObject({ filename: "paths-main.zip", format: "zip" });
  expect((archive.expireAt ?? 0) - archive.createdAt).toBe(7 * 24 * 3600 * 1000);
  const [upload] = requests("paths", "POST");
  expect(upload?.query).toEqual({
    expire_in: "1 week",
    artifact_format: "zip",
    artifact_type: "archive",
  });
});

test("a path that is not there is a warning", () => {
  expect(trace("paths")).toMatch(/\nWARNING: missing\.txt: no matching files/);
});

test("the stage has a section of its own, and says what GitLab answered", () => {
  const text = trace("paths");
  expect(text).toContain("\nUploading artifacts for successful job\nUploading artifacts...\n");
  expect(text).toMatch(
    /\nUploading artifacts as "archive" to coordinator\.\.\. 201 Created {2}id=\d+\n/,
  );
});

test("untracked keeps what git does not know, ignored files included", async () => {
  expect(await archiveOf(job("untracked"))).toEqual({
    "new.txt": "new\n",
    "file.ignored": "ignored\n",
  });
});

test("having nothing to keep is said, and fails no job", () => {
  expect(trace("nothing to keep")).toContain("\nERROR: No files to upload\n");
  expect(job("nothing to keep")).toMatchObject({ status: "success", artifacts: [] });
});

test("what lies outside of the project is not taken", () => {
  expect(artifactTypes(job("outside"))).toEqual([]);
  expect(job("outside").status).toBe("success");
});
