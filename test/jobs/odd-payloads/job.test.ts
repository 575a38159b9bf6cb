import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const optional = [
  "image",
  "services",
  "artifacts",
  "cache",
  "credentials",
  "dependencies",
  "hooks",
  "inputs",
  "features",
  "secrets",
  "policy_options",
];

const { job, trace } = await runFolder(import.meta.url, {
  raw: [
    {
      name: "nothing but null",
      script: ["echo runs"],
      payload: Object.fromEntries(optional.map((name) => [name, null])),
    },
    {
      name: "from the future",
      script: ["echo runs"],
      payload: { brand_new: { of: ["some", "use"] }, suspend_options: { enabled: true } },
    },
    {
      name: "steps and script",
      script: ["echo never"],
      payload: { run: JSON.stringify([{ name: "hello", script: "echo hello" }]) },
    },
  ],
});

test("C48 a payload whose every optional part is null runs", () => {
  expect(job("nothing but null").status).toBe("success");
  expect(trace("nothing but null")).toContain("\nruns\n");
});

test("parts of a payload that nobody knows are passed over", () => {
  expect(job("from the future").status).toBe("success");
});

test("C49 a job with both run and a script is refused, with the reason", () => {
  expect(job("steps and script")).toMatchObject({
    status: "failed",
    failureReason: "runner_system_failure",
  });
  expect(trace("steps and script")).toMatch(/ERROR: Job failed .*payload cannot be read: .*run/);
  expect(trace("steps and script")).not.toContain("\nnever\n");
});
