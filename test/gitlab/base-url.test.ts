import { expect, test } from "vitest";
import { SettingsError } from "../../src/core/errors.ts";
import { apiUrl } from "../../src/gitlab/base-url.ts";

test.each([
  ["https://gitlab.example.com", "https://gitlab.example.com/api/v4/"],
  ["https://gitlab.example.com/", "https://gitlab.example.com/api/v4/"],
  ["https://gitlab.example.com/ci", "https://gitlab.example.com/api/v4/"],
  ["https://gitlab.example.com/ci/", "https://gitlab.example.com/api/v4/"],
  ["http://host:8080/gitlab", "http://host:8080/gitlab/api/v4/"],
  ["http://host:8080/gitlab/ci//", "http://host:8080/gitlab/api/v4/"],
  ["https://host/special-ci", "https://host/special-ci/api/v4/"],
  ["  https://host \n", "https://host/api/v4/"],
  ["http://[::1]:3000", "http://[::1]:3000/api/v4/"],
])("%j is called at %s", (configured, expected) => {
  expect(apiUrl(configured).href).toBe(expected);
});

test.each([
  ["", "is empty"],
  ["gitlab.example.com", "is not a URL"],
  ["ftp://gitlab.example.com", "only http: and https:"],
  ["glpat://x", "only http: and https:"],
  ["https://", "is not a URL"],
  ["https://user:hunter2@gitlab.example.com", "user name or password"],
  ["https://user:hunter2@git lab", "is not a URL"],
])("%j is refused in one sentence without a password in it", (configured, said) => {
  const refuse = () => apiUrl(configured);
  expect(refuse).toThrow(SettingsError);
  expect(refuse).toThrow(said);
  expect(refuse).not.toThrow("hunter2");
});
