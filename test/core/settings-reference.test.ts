import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  settingRows,
  settingsJsonSchema,
  settingsPage,
} from "../../src/core/settings-reference.ts";

test("docs/settings.md is what the schema says: else run `npm run settings-docs`", () => {
  const page = readFileSync(new URL("../../docs/settings.md", import.meta.url), "utf8");
  expect(page).toBe(settingsPage());
});

test("every key says what it means", () => {
  for (const kind of ["runner", "environment"] as const) {
    expect(settingRows(kind).filter(({ description }) => description === "")).toEqual([]);
  }
});

test("the JSON Schema knows no other keys than the settings have", () => {
  expect(settingsJsonSchema("environment")).toMatchObject({
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    additionalProperties: false,
    properties: { poll_seconds: { default: 60, maximum: 60 }, limit: { default: 0 } },
  });
});
