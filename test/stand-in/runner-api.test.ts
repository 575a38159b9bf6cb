import { expect, test } from "vitest";
import { allFeatures, gitLab, record, systemId } from "./gitlab.ts";

const runners = "/api/v4/runners";

test("verify is 200 with id, token and expiry, and notes the manager", async () => {
  const gitlab = await gitLab();
  const answer = await gitlab.call("POST", `${runners}/verify`, {
    json: {
      token: gitlab.standIn.runnerToken,
      system_id: systemId,
      info: { name: "gitlab-burst", version: "1.0", features: allFeatures },
    },
  });
  expect(answer.status).toBe(200);
  expect(answer.json).toEqual({
    id: 1,
    token: gitlab.standIn.runnerToken,
    token_expires_at: null,
  });
  const listed = await gitlab.rest("GET", "/runners");
  expect(listed.json).toMatchObject([{ id: 1, name: "gitlab-burst", status: "online" }]);
});

test("verify with a wrong token is 403, without one 400", async () => {
  const gitlab = await gitLab();
  const verify = (json: unknown) => gitlab.call("POST", `${runners}/verify`, { json });
  expect((await verify({ token: "glrt-wrong" })).status).toBe(403);
  expect((await verify({})).status).toBe(400);
  expect((await verify({ token: { no: "text" } })).status).toBe(400);
});

test("registration by a shared token is 410 unless the stand-in has one", async () => {
  const gitlab = await gitLab();
  const answer = await gitlab.call("POST", runners, { json: { token: "GR1348941" } });
  expect(answer.status).toBe(410);
});

test("registration by a shared token: 201, 403 for a wrong one, 400 for bad settings", async () => {
  const gitlab = await gitLab({ registrationToken: "GR1348941abc" });
  const register = (json: Record<string, unknown>) => gitlab.call("POST", runners, { json });
  const answer = await register({
    token: "GR1348941abc",
    description: "old way",
    tag_list: "a, b,a",
    run_untagged: "false",
    maximum_timeout: 0,
    info: { name: "gitlab-runner" },
  });
  expect(answer.status).toBe(201);
  const { id, token } = record(answer.json);
  expect(String(token)).not.toMatch(/^glrt-/);
  expect((await gitlab.rest("GET", `/runners/${String(id)}`)).json).toMatchObject({
    description: "old way",
    tag_list: ["a", "b"],
    run_untagged: false,
    maximum_timeout: null,
  });
  expect((await register({ token: "GR1348941wrong" })).status).toBe(403);
  expect((await register({ token: "GR1348941abc", access_level: "all" })).status).toBe(400);
  expect((await register({ token: "GR1348941abc", maximum_timeout: 60 })).json).toEqual({
    message: { maximum_timeout: ["needs to be at least 10 minutes"] },
  });
  expect((await register({ token: "GR1348941abc", run_untagged: false })).status).toBe(400);
});

test("a runner that has left is unknown", async () => {
  const gitlab = await gitLab();
  const { runnerToken: token } = gitlab.standIn;
  expect((await gitlab.call("DELETE", runners, { json: { token } })).status).toBe(204);
  expect((await gitlab.call("DELETE", runners, { json: { token } })).status).toBe(403);
  expect((await gitlab.requestJob()).status).toBe(403);
});

test("a manager leaves by its system_id, and only that one", async () => {
  const gitlab = await gitLab();
  const { runnerToken: token } = gitlab.standIn;
  await gitlab.requestJob();
  const leave = (json: Record<string, unknown>) =>
    gitlab.call("DELETE", `${runners}/managers`, { json });
  expect((await leave({ token })).status).toBe(400);
  expect((await leave({ token, system_id: "s_ffffffffffff" })).status).toBe(404);
  expect((await leave({ token: "glrt-wrong", system_id: systemId })).status).toBe(403);
  expect((await leave({ token, system_id: systemId })).status).toBe(204);
  expect((await leave({ token, system_id: systemId })).status).toBe(404);
  expect((await gitlab.requestJob()).status).toBe(204);
});

test("a reset token replaces the old one", async () => {
  const gitlab = await gitLab();
  const { runnerToken: token } = gitlab.standIn;
  const answer = await gitlab.call("POST", `${runners}/reset_authentication_token`, {
    json: { token },
  });
  expect(answer.status).toBe(201);
  const fresh = record(answer.json)["token"];
  expect(fresh).toMatch(/^glrt-/);
  expect((await gitlab.requestJob()).status).toBe(403);
  expect((await gitlab.requestJob({ token: fresh })).status).toBe(204);
});

test("there is no job router: 501 for a runner, 403 for others", async () => {
  const gitlab = await gitLab();
  const ask = (token: string) =>
    gitlab.call("GET", `${runners}/router/discovery`, { headers: { "runner-token": token } });
  expect((await ask(gitlab.standIn.runnerToken)).status).toBe(501);
  expect((await ask("glrt-wrong")).status).toBe(403);
});

test("every answer has a request id", async () => {
  const gitlab = await gitLab();
  const ids = [await gitlab.requestJob(), await gitlab.requestJob()].map((answer) =>
    answer.headers.get("x-request-id"),
  );
  expect(ids[0]).toMatch(/^[0-9a-f]{32}$/);
  expect(ids[1]).not.toBe(ids[0]);
});

test("what a runner sent can be read afterwards, tokens and all", async () => {
  const gitlab = await gitLab();
  await gitlab.standIn.enqueue();
  const job = await gitlab.claim();
  await gitlab.patch(job, 0, "hello");
  const [request, patch] = gitlab.standIn.requests();
  expect(request).toMatchObject({ method: "POST", path: "/api/v4/jobs/request", status: 201 });
  expect(JSON.parse(String(request?.body))).toMatchObject({ system_id: systemId });
  expect(patch).toMatchObject({ method: "PATCH", status: 202 });
  expect(patch?.headers["content-range"]).toBe("0-4");
  expect(patch?.headers["job-token"]).toBe(job.token);
  expect(String(patch?.body)).toBe("hello");
  gitlab.standIn.clearRequests();
  expect(gitlab.standIn.requests()).toEqual([]);
});
