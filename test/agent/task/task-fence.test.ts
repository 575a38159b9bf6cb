import { expect, test } from "vitest";
import { jsonBody } from "../../../src/stand-in/request-log.ts";
import { playTask } from "./task-scene.ts";

test("an attempt whose fence another one holds runs nothing, and GitLab hears no more of it", async () => {
  const scene = await playTask({
    raw: { script: ["echo not me"], hooks: [] },
    task: { attempt: 2 },
    prepare: ({ bucket }) =>
      bucket.objects.set("started", JSON.stringify({ attempt: 1, nonce: "another" })),
  });
  expect(await scene.ended).toBe(70);
  const { gitlab, job, bucket } = scene;
  expect(scene.trace()).not.toContain("not me");
  expect(gitlab.standIn.job(job.id).status).toBe("running");
  const puts = gitlab.standIn.requests().filter(({ method }) => method === "PUT");
  expect(puts.map(jsonBody).filter(({ state }) => state !== "running")).toEqual([]);
  expect(bucket.objects.has("result.json")).toBe(false);
  expect(scene.diagnostics()).toContain("another attempt of this job has begun");
});

test("a hook before the sources is user script too: it waits for the fence", async () => {
  const scene = await playTask({
    raw: {
      variables: { GIT_STRATEGY: "clone" },
      hooks: [{ name: "pre_get_sources_script", script: ["echo hooked"] }],
    },
    prepare: ({ bucket }) =>
      bucket.objects.set("started", JSON.stringify({ attempt: 2, nonce: "another" })),
  });
  expect(await scene.ended).toBe(70);
  expect(scene.mirrored()).not.toContain("hooked");
});
