import { expect, test } from "vitest";
import { parse } from "yaml";
import { Secret } from "../../src/core/secret.ts";
import { createRunnerLoader } from "../../src/flow/runners.ts";
import { memoryParameters, path } from "./polling.ts";

const auth = '{"auths":{"registry.example.com":{"auth":"eDp5"}}}';

function loading(given: Readonly<Record<string, string | Secret>>) {
  const parameters = memoryParameters(given);
  const loader = createRunnerLoader({
    parameters,
    path,
    parseText: (text): unknown => parse(text),
    systemId: (name) => `s_${name}`,
  });
  return { parameters, load: loader.load };
}

test("a token alone makes a runner of gitlab.com", async () => {
  const { load } = loading({ "runners/team/token": new Secret(" glrt-abc\n") });
  const { runners, mistakes } = await load();
  expect(mistakes).toEqual([]);
  expect(runners).toMatchObject([
    { name: "team", systemId: "s_team", settings: { url: "https://gitlab.com", vcpu_budget: 6 } },
  ]);
  expect(runners[0]?.token.reveal()).toBe("glrt-abc");
});

test("secrets are decrypted when they are new or have changed, and never else", async () => {
  const { load, parameters } = loading({
    "runners/team/token": new Secret("glrt-abc"),
    "runners/team/registry-auth": new Secret(auth),
    "runners/team/settings": "limit: 1",
  });
  const first = await load();
  expect(first.runners[0]?.settings.registry_auth.reveal()).toBe(auth);
  expect(JSON.stringify(first.runners[0]?.rawSettings)).not.toContain("auths");
  await load();
  expect(parameters.decrypted).toHaveLength(2);
  parameters.put("runners/team/settings", "limit: 2");
  parameters.put("runners/team/token", new Secret("glrt-def"));
  const { runners } = await load();
  expect(runners[0]?.settings.limit).toBe(2);
  expect(runners[0]?.token.reveal()).toBe("glrt-def");
  expect(parameters.decrypted.slice(2)).toEqual([`${path}/runners/team/token`]);
});

test("a secret that may not be decrypted is its own runner's mistake; trouble that passes is nobody's", async () => {
  const { parameters } = loading({});
  parameters.put("runners/good/token", new Secret("glrt-good"));
  parameters.put("runners/locked/token", new Secret("glrt-locked"));
  let trouble = "AccessDeniedException";
  const loader = createRunnerLoader({
    parameters: {
      list: parameters.list,
      secrets: (names) => {
        if (!names.some((name) => name.includes("locked"))) return parameters.secrets(names);
        return Promise.reject(Object.assign(new Error("no"), { name: trouble }));
      },
    },
    path,
    parseText: (text): unknown => parse(text),
    systemId: () => "",
  });
  const { runners, mistakes } = await loader.load();
  expect(runners.map(({ name }) => name)).toEqual(["good"]);
  expect(mistakes).toEqual([
    expect.stringContaining(
      `${path}/runners/locked/token: expected the runner's token (glrt-…), found`,
    ),
  ]);
  trouble = "ThrottlingException";
  await expect(loader.load()).rejects.toThrow("no");
});

test("mistakes in the environment's settings stop every runner: what they forbid must not be forgotten", async () => {
  const { load } = loading({
    "runners/team/token": new Secret("glrt-abc"),
    settings: "allowed_image: [ruby]",
  });
  expect(await load()).toMatchObject({
    environment: { paused: true },
    runners: [],
    mistakes: [`${path}/settings: unknown key "allowed_image"; did you mean "allowed_images"?`],
  });
});

test("settings that are neither YAML nor JSON are told without showing them", async () => {
  const { load } = loading({
    "runners/team/token": new Secret("glrt-abc"),
    "runners/team/settings": "a: [hidden",
  });
  const { mistakes } = await load();
  expect(mistakes).toEqual([
    expect.stringContaining(`${path}/runners/team/settings: expected YAML or JSON, found a text`),
  ]);
  expect(mistakes.join("")).not.toContain("hidden");
});
