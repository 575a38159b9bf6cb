import { expect, test } from "vitest";
import { jobMask, textMask } from "../../src/core/job-mask.ts";
import { defaultSettings } from "../../src/core/settings.ts";
import { buildJob } from "./build-job.ts";

const hidden = (key: string, value: string) => ({ key, value, masked: true });

test("masked values, expanded, the job's token and tokens by their beginnings are masked", () => {
  const job = buildJob({
    token: "token-of-the-job",
    variables: [hidden("A", "first-$B"), { key: "B", value: "second" }, hidden("C", "two\nlines")],
  });
  const mask = jobMask(job, defaultSettings());
  expect(mask("é first-second first-$B token-of-the-job two\nlines glpat-abc second")).toBe(
    "é [MASKED] first-$B [MASKED] [MASKED] glpat-[MASKED] second",
  );
});

test("each text is looked at by itself", () => {
  const mask = textMask(["secret"]);
  expect([mask("sec"), mask("ret"), mask("a secret")]).toEqual(["sec", "ret", "a [MASKED]"]);
});
