import { expect, test } from "vitest";
import { runFolder } from "../../harness/project.ts";

const input = (key: string, type: string, content: unknown) => ({
  key,
  value: { type, content, sensitive: false },
});

const { job, trace } = await runFolder(import.meta.url, {
  raw: [
    {
      name: "with inputs",
      script: ["echo '${{ job.inputs.greeting }} number ${{ job.inputs.count }}'"],
      afterScript: ["echo 'after: ${{ job.inputs.greeting }}'"],
      payload: { inputs: [input("greeting", "string", "hello"), input("count", "number", 3)] },
    },
    {
      name: "unknown input",
      script: ["echo '${{ job.inputs.greting }}'"],
      payload: { inputs: [input("greeting", "string", "hello")] },
    },
  ],
});

test("a job's inputs are put into its scripts", () => {
  expect(trace("with inputs")).toContain("\nhello number 3\n");
  expect(trace("with inputs")).toContain("\nafter: hello\n");
});

test("an input that there is not is the pipeline's mistake", () => {
  expect(job("unknown input")).toMatchObject({
    status: "failed",
    failureReason: "runner_configuration_error",
  });
  expect(trace("unknown input")).toContain("greting");
});

test("without inputs the text is left as it is", () => {
  expect(trace("without inputs")).toContain("\n${{ job.inputs.greeting }} stays\n");
});
