import { expect, test } from "vitest";
import { isSameHost, redirectTarget } from "../../src/gitlab/redirect.ts";

test.each([
  ["https://a.com", "https://a.com/x?y", true],
  ["https://a.com", "https://a.com:443/", true],
  ["https://a.com:8443", "https://a.com:8443/", true],
  ["http://a.com", "https://a.com/", true],
  ["https://a.com", "http://a.com/", false],
  ["https://a.com", "https://a.com:8443/", false],
  ["http://a.com:8080", "https://a.com/", false],
  ["https://a.com", "https://storage.a.com/", false],
  ["https://a.com", "https://a.com.evil.example/", false],
  ["https://a.com", "https://a.com@evil.example/", false],
])("a token for %s may go to %s: %s", (gitlab, target, allowed) => {
  expect(isSameHost(new URL(gitlab), new URL(target))).toBe(allowed);
});

test.each([
  ["/elsewhere?x=1", "https://a.com/elsewhere?x=1"],
  ["//b.com/x", "https://b.com/x"],
  ["http://c.com", "http://c.com/"],
  ["ftp://c.com", undefined],
  ["file:///etc/passwd", undefined],
  ["https://", undefined],
  [undefined, undefined],
])("Location %j leads to %j", (location, expected) => {
  expect(redirectTarget(location, new URL("https://a.com/api/v4/x"))?.href).toBe(expected);
});
