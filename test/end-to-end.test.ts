import { expect, test } from "vitest";
import { agentProgram } from "./harness/agent-program.ts";
import { startRunner } from "./harness/runner.ts";

test("a job goes from claim to green, with its sources, its output and its trace whole", async () => {
  const runner = await startRunner({ maxJobs: 1, nodeArguments: [await agentProgram()] });
  try {
    const { gitlab } = runner;
    await gitlab.addFiles("hello", {
      "greeting.txt": "hello from the repository\n",
      ".gitlab-ci.yml": "hello:\n  script:\n    - cat greeting.txt\n    - echo done\n",
    });
    const created = await gitlab.createPipeline("root/hello");
    if (created.kind !== "pipeline") throw new Error(created.errors.join("\n"));
    const pipeline = await gitlab.waitForPipeline(created.pipeline.id);
    const [job] = pipeline.jobs;
    const trace = job!.trace().toString();
    await runner.ended;
    expect(pipeline.status).toBe("success");
    expect(trace).toContain("hello from the repository");
    expect(trace).toContain("Job succeeded");
    expect(job!.reported.checksum).toBe(job!.traceChecksum);
    expect(runner.events.map(({ event }) => event)).toEqual(["claimed", "started", "success"]);
  } finally {
    await runner.close();
  }
});
