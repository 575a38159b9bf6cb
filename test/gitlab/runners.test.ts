import { expect, test } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import { replyJson, serve, type TestServer } from "./http-server.ts";
import { info, newClient, runnerToken } from "./new-client.ts";

const registrationToken = new Secret("GR1348941registration");
const accessToken = new Secret("glpat-personal-access");

function sent(gitlab: TestServer): unknown {
  const text = gitlab.seen[0]?.text ?? "";
  return text === "" ? undefined : JSON.parse(text);
}

test("verify sends token, system id and the full info", async () => {
  const gitlab = await serve((_, response) =>
    replyJson(response, 200, { id: 9, token: "glrt-x", token_expires_at: "2031-01-01T00:00:00Z" }),
  );
  const { client } = newClient({ url: gitlab.url });

  expect(await client.verifyRunner()).toEqual({
    kind: "valid",
    runnerId: 9,
    tokenExpiresAt: "2031-01-01T00:00:00Z",
  });
  expect(gitlab.seen[0]).toMatchObject({ method: "POST", path: "/api/v4/runners/verify" });
  expect(gitlab.seen[0]?.headers["runner-token"]).toBe(runnerToken.reveal());
  expect(sent(gitlab)).toEqual({
    info,
    token: runnerToken.reveal(),
    system_id: "s_0123456789ab",
  });
});

test.each([
  ["403", 403, "application/json", '{"message":"403 Forbidden"}', { kind: "invalid" }],
  [
    "422",
    422,
    "application/json",
    '{"message":"Runner is orphaned"}',
    { kind: "rejected", status: 422, message: "GitLab answered HTTP 422: Runner is orphaned" },
  ],
  ["429", 429, "application/json", "{}", { kind: "unavailable", status: 429 }],
  ["500", 500, "text/html", "", { kind: "unavailable", status: 500 }],
  [
    "the plain text of an old GitLab",
    200,
    "text/plain",
    "200",
    { kind: "valid", runnerId: undefined },
  ],
  ["a login page", 200, "text/html", "<html>", { kind: "unavailable", status: 200 }],
])("verify: %s", async (_, status, type, text, outcome) => {
  const gitlab = await serve((_, response) =>
    response.writeHead(status, { "Content-Type": type }).end(text),
  );
  const { client } = newClient({ url: gitlab.url });

  expect(await client.verifyRunner()).toMatchObject(outcome);
});

test("a runner is registered the old way with all that was said of it", async () => {
  const gitlab = await serve((_, response) =>
    replyJson(response, 201, { id: 3, token: "runner-token", token_expires_at: null }),
  );
  const { client } = newClient({ url: gitlab.url, token: undefined });

  const reply = await client.registerRunner(registrationToken, {
    description: "my runner",
    maintenanceNote: "note",
    tagList: ["a", "b c"],
    runUntagged: false,
    locked: true,
    accessLevel: "ref_protected",
    maximumTimeoutSeconds: 600,
    paused: false,
  });

  expect(reply).toMatchObject({ kind: "registered", runnerId: 3, tokenExpiresAt: undefined });
  expect(reply.kind === "registered" && reply.token.reveal()).toBe("runner-token");
  expect(JSON.stringify(reply)).not.toContain("runner-token");
  expect(gitlab.seen[0]).toMatchObject({ method: "POST", path: "/api/v4/runners" });
  expect(sent(gitlab)).toEqual({
    info,
    token: registrationToken.reveal(),
    description: "my runner",
    maintenance_note: "note",
    tag_list: "a,b c",
    run_untagged: false,
    locked: true,
    access_level: "ref_protected",
    maximum_timeout: 600,
    paused: false,
  });
});

test.each([
  [400, { kind: "rejected", message: "GitLab answered HTTP 400: tag_list is bad" }],
  [403, { kind: "rejected", message: expect.stringContaining("does not accept the registration") }],
  [410, { kind: "rejected", message: expect.stringContaining("use its own token (glrt-…)") }],
  [500, { kind: "unavailable", status: 500 }],
])("register: HTTP %i", async (status, outcome) => {
  const gitlab = await serve((_, response) =>
    replyJson(response, status, { message: { tag_list: ["is bad"] } }),
  );
  const { client } = newClient({ url: gitlab.url });

  expect(await client.registerRunner(registrationToken)).toMatchObject(outcome);
});

test.each([
  [{ runnerType: "instance_type" }, { runner_type: "instance_type" }],
  [
    { runnerType: "group_type", groupId: 5 },
    { runner_type: "group_type", group_id: 5 },
  ],
  [
    { runnerType: "project_type", projectId: 6 },
    { runner_type: "project_type", project_id: 6 },
  ],
] as const)("a runner is created by access token: %j", async (scope, wire) => {
  const gitlab = await serve((_, response) =>
    replyJson(response, 201, { id: 4, token: "glrt-new", token_expires_at: null }),
  );
  const { client } = newClient({ url: gitlab.url, token: undefined });

  expect(
    await client.createRunner(accessToken, scope, { tagList: ["a", "b"], paused: true }),
  ).toMatchObject({ kind: "registered", runnerId: 4 });
  expect(gitlab.seen[0]).toMatchObject({ method: "POST", path: "/api/v4/user/runners" });
  expect(gitlab.seen[0]?.headers["private-token"]).toBe(accessToken.reveal());
  expect(sent(gitlab)).toEqual({ ...wire, tag_list: ["a", "b"], paused: true });
});

test.each([
  [401, "does not accept the access token"],
  [403, "needs the scope create_runner or api"],
])("create: HTTP %i says what to do, without the token", async (status, said) => {
  const gitlab = await serve((_, response) =>
    replyJson(response, status, { message: `${accessToken.reveal()}?` }),
  );
  const { client } = newClient({ url: gitlab.url });

  const reply = await client.createRunner(accessToken, { runnerType: "instance_type" });

  expect(reply).toMatchObject({ kind: "rejected", message: expect.stringContaining(said) });
  expect(JSON.stringify(reply)).not.toContain(accessToken.reveal());
});

test("a runner made in GitLab loses only this manager; a registered one is removed", async () => {
  const gitlab = await serve((_, response) => response.writeHead(204).end());
  const made = newClient({ url: gitlab.url });
  const registered = newClient({ url: gitlab.url, token: new Secret("old-token") });

  expect(await made.client.unregister()).toEqual({ kind: "unregistered" });
  expect(await registered.client.unregister()).toEqual({ kind: "unregistered" });

  const calls = gitlab.seen.map((call) => [call.method, call.path, JSON.parse(call.text)]);
  expect(calls).toEqual([
    [
      "DELETE",
      "/api/v4/runners/managers",
      { token: runnerToken.reveal(), system_id: "s_0123456789ab" },
    ],
    ["DELETE", "/api/v4/runners", { token: "old-token" }],
  ]);
});

test.each([400, 403, 404])("unregister: HTTP %i is a refusal", async (status) => {
  const gitlab = await serve((_, response) => response.writeHead(status).end());
  const { client } = newClient({ url: gitlab.url });

  expect(await client.unregister()).toMatchObject({ kind: "rejected", status });
});

test("a token is renewed by itself, sent only in the body", async () => {
  const gitlab = await serve((_, response) =>
    replyJson(response, 201, { token: "glrt-next", token_expires_at: "2031-01-01T00:00:00Z" }),
  );
  const { client } = newClient({ url: gitlab.url });

  const reply = await client.resetToken();

  expect(reply).toMatchObject({ kind: "reset", tokenExpiresAt: "2031-01-01T00:00:00Z" });
  expect(reply.kind === "reset" && reply.token.reveal()).toBe("glrt-next");
  expect(gitlab.seen[0]?.path).toBe("/api/v4/runners/reset_authentication_token");
  expect(gitlab.seen[0]?.headers).not.toHaveProperty("runner-token");
  expect(sent(gitlab)).toEqual({ token: runnerToken.reveal() });
});

test("a token is renewed by access token, with no body", async () => {
  const gitlab = await serve((_, response) =>
    replyJson(response, 201, { token: "glrt-next", token_expires_at: null }),
  );
  const { client } = newClient({ url: gitlab.url, token: undefined });

  expect(await client.resetTokenOf(12, accessToken)).toMatchObject({ kind: "reset" });
  expect(gitlab.seen[0]).toMatchObject({
    method: "POST",
    path: "/api/v4/runners/12/reset_authentication_token",
    text: "",
  });
  expect(gitlab.seen[0]?.headers["private-token"]).toBe(accessToken.reveal());
});

test.each([403, 422])("reset: HTTP %i is a refusal", async (status) => {
  const gitlab = await serve((_, response) => response.writeHead(status).end());
  const { client } = newClient({ url: gitlab.url });

  expect(await client.resetToken()).toMatchObject({ kind: "rejected", status });
});

test.each([
  ["", "is empty"],
  ["glrt-with\nline", "line break"],
  ["glrt-with blank", "blank"],
])("a token that cannot be one is refused at once: %j", (token, said) => {
  expect(() => newClient({ url: "https://a.com", token: new Secret(token) })).toThrow(said);
});
