import { expect, test } from "vitest";
import { until } from "../../harness/processes.ts";
import { playTask } from "./task-scene.ts";

test("a job container that stopped before it came up is the launcher's to explain", async () => {
  const scene = await playTask({
    withoutBoot: true,
    prepare: ({ endpoint }) => {
      endpoint.containers["job"] = { image: "no-such:1", status: "NONE" };
    },
  });
  await scene.traceHas("Pulling image no-such:1 ...");
  scene.endpoint.containers["job"] = { image: "no-such:1", status: "STOPPED" };
  expect(await scene.ended).toBe(71);
  expect(scene.gitlab.standIn.job(scene.job.id).status).toBe("running");
  expect(scene.bucket.objects.has("started")).toBe(false);
});

test("a job container that goes away under its script is the launcher's to explain", async () => {
  const scene = await playTask({ raw: { script: ["echo begun", "sleep 60"] } });
  await scene.traceHas("begun");
  process.kill(-(scene.boot?.pid ?? 0), "SIGKILL");
  expect(await scene.ended).toBe(71);
  expect(scene.gitlab.standIn.job(scene.job.id).status).toBe("running");
  expect(scene.trace()).toContain("begun");
});

test("told to stop before the script: 72 at once, and GitLab hears no more", async () => {
  const scene = await playTask({
    withoutBoot: true,
    prepare: ({ endpoint }) => {
      endpoint.containers["job"] = { image: "slow:1", status: "NONE" };
    },
  });
  await until("preparations", () => scene.mirrored().includes("Pulling image"));
  const began = performance.now();
  scene.agent.kill("SIGTERM");
  expect(await scene.ended).toBe(72);
  expect(performance.now() - began).toBeLessThan(8000);
  expect(scene.gitlab.standIn.job(scene.job.id).status).toBe("running");
  expect(scene.bucket.objects.has("started")).toBe(false);
  expect(scene.trace()).not.toContain("ERROR");
});

test("told to stop while the script runs: 72, with the log so far and no result", async () => {
  const scene = await playTask({ raw: { script: ["echo begun", "sleep 60"] } });
  await until("the script", () => scene.mirrored().includes("begun"));
  scene.agent.kill("SIGTERM");
  expect(await scene.ended).toBe(72);
  expect(scene.trace()).toContain("begun");
  expect(scene.trace()).not.toContain("ERROR");
  expect(scene.gitlab.standIn.job(scene.job.id).status).toBe("running");
  expect(scene.bucket.objects.has("started")).toBe(true);
  expect(scene.bucket.objects.has("result.json")).toBe(false);
});

test("told to stop while there is no hand-off yet: 72", async () => {
  const scene = await playTask({
    prepare: ({ bucket }) => bucket.fail("hand-off.json", ...Array<"cut">(50).fill("cut")),
  });
  await until("a request", () => scene.bucket.seen.length > 0);
  scene.agent.kill("SIGTERM");
  expect(await scene.ended).toBe(72);
});

test("a script that fails because all of its task is told to stop has not failed by itself", async () => {
  const scene = await playTask({ raw: { script: ["echo begun", "sleep 2", "exit 1"] } });
  await until("the script", () => scene.mirrored().includes("begun"));
  scene.endpoint.desiredStatus = "STOPPED";
  expect(await scene.ended).toBe(72);
  expect(scene.gitlab.standIn.job(scene.job.id).status).toBe("running");
});

test("told to stop when the scripts are done: what they made is kept, and the job ends as it would have", async () => {
  const scene = await playTask({
    raw: {
      script: ["echo x > made", "echo done"],
      artifacts: [
        {
          name: "made",
          paths: ["made"],
          when: "on_success",
          artifact_type: "archive",
          artifact_format: "zip",
        },
      ],
    },
  });
  await until("the upload", () => scene.mirrored().includes("Uploading artifacts"));
  scene.agent.kill("SIGTERM");
  expect(await scene.ended).toBe(0);
  const job = scene.gitlab.standIn.job(scene.job.id);
  expect(job.status).toBe("success");
  expect(job.artifacts).toHaveLength(1);
});
