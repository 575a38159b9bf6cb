import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";
import { artifactOf, artifactTypes, reportOf } from "../artifact-content.ts";

const { job, trace, requests } = await runFolder(import.meta.url);

test("every kind of report is an upload of its own, in its own format", () => {
  expect(artifactTypes(job("make"))).toEqual(["codequality", "dotenv", "junit"]);
  const sent = requests("make", "POST").map(({ query }) => query["artifact_type"]);
  expect(sent.toSorted()).toEqual(["codequality", "dotenv", "junit"]);
  expect(artifactOf(job("make"), "junit")).toMatchObject({
    format: "gzip",
    filename: "junit.xml.gz",
  });
  expect(artifactOf(job("make"), "codequality")).toMatchObject({ format: "raw" });
});

test("several files of one gzip report follow one another", () => {
  const text = '<testsuites name="one"/>\n<testsuites name="two"/>\n';
  expect(reportOf(job("make"), "junit")).toBe(text);
  expect(reportOf(job("make"), "codequality")).toBe("[]\n");
});

test("the variables of a dotenv report reach the jobs that depend on it, and no others", () => {
  expect(trace("use")).toContain("\nversion 1.2.3, [a b], v1.2.3\n");
  expect(trace("does not use")).toContain("\nversion []\n");
});

test("a job that left only reports is nothing to download", () => {
  expect(trace("use")).not.toContain("Downloading artifacts");
});
