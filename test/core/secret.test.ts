import { format, inspect } from "node:util";
import { expect, test } from "vitest";
import { Secret } from "../../src/core/secret.ts";

const secret = new Secret("hunter2");

test.each<[string, () => string]>([
  ["put into a text", () => ["a", secret, "b"].join("")],
  ["joined to a text", () => "x" + String(secret)],
  ["serialised", () => JSON.stringify({ secret, list: [secret] })],
  ["inspected", () => inspect({ deep: { secret } }, { showHidden: true, depth: 9 })],
  ["formatted", () => format("%s %o %O %j", secret, secret, secret, secret)],
  ["copied", () => JSON.stringify(Object.assign({}, secret))],
  ["listed by its keys", () => Reflect.ownKeys(secret).join()],
  ["part of an error", () => inspect(new Error("x", { cause: secret }))],
])("a secret does not show when %s", (_how, show) => {
  expect(show()).not.toContain("hunter2");
});

test("a secret shows that it is one", () => {
  expect([String(secret), JSON.stringify(secret), inspect(secret)]).toEqual([
    "[masked]",
    '"[masked]"',
    "[masked]",
  ]);
});

test("its value leaves by reveal alone", () => {
  expect(secret.reveal()).toBe("hunter2");
  expect(secret.isEmpty).toBe(false);
  expect(new Secret("").isEmpty).toBe(true);
});
