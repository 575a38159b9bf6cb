import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const { job, trace, pipeline } = await runFolder(import.meta.url, { concurrent: 1 });

test("git in a script can fetch from the job's own GitLab without a password", () => {
  expect(job("fetches").status).toBe("success");
  expect(trace("fetches")).toContain(`\n${pipeline.sha}\n`);
  expect(trace("fetches")).toMatch(new RegExp(`after script[^]*\\n${pipeline.sha}\\tHEAD\\n`));
});

test("C61 the remote's address holds no token, nor does any file of the repository", () => {
  expect(trace("fetches")).toMatch(/\nhttp:\/\/127\.0\.0\.1:\d+\/root\/git-in-script\.git\n/);
  expect(trace("fetches")).toContain("\nno token in .git\n");
});

test("that also holds in a folder that an earlier job left, whose token is no longer valid", () => {
  expect(job("later").status).toBe("success");
  expect(trace("later")).toContain("\nfetched in a folder that was kept\n");
});
