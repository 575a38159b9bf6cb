import { expect, test } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import {
  afterReply,
  bannedUntil,
  credentialsKey,
  defaultHealthLimits,
  healthOf,
  type PollReply,
  trackHealth,
} from "../../src/gitlab/health.ts";

const minute = 60_000;
const url = "https://gitlab.example.com";
const key = credentialsKey(url, new Secret("glrt-one"));

function after(replies: readonly PollReply[], limits = defaultHealthLimits) {
  return replies.reduce(
    (state, reply) => afterReply(state, reply, 0, limits),
    healthOf(undefined, key),
  );
}

test("C28 three 403 in a row end the polling for 60 minutes", () => {
  const state = after(["forbidden", "forbidden", "forbidden"]);
  expect(bannedUntil(state, 0, defaultHealthLimits)).toBe(60 * minute);
  expect(bannedUntil(state, 60 * minute - 1, defaultHealthLimits)).toBe(60 * minute);
  expect(bannedUntil(state, 60 * minute, defaultHealthLimits)).toBeUndefined();
});

test("C28 a hundred failures that are no 403 do not", () => {
  const state = after(Array.from({ length: 100 }, () => "unavailable" as const));
  expect(bannedUntil(state, 0, defaultHealthLimits)).toBeUndefined();
});

test.each<PollReply>(["job", "none", "conflict", "rejected", "unavailable"])(
  "C28 a reply of kind %s between them starts the count anew",
  (reply) => {
    const state = after(["forbidden", "forbidden", reply, "forbidden", "forbidden"]);
    expect(bannedUntil(state, 0, defaultHealthLimits)).toBeUndefined();
  },
);

test("after the hour it again takes three", () => {
  const later = 61 * minute;
  let state = after(["forbidden", "forbidden", "forbidden"]);
  state = afterReply(state, "forbidden", later, defaultHealthLimits);
  state = afterReply(state, "forbidden", later, defaultHealthLimits);
  expect(bannedUntil(state, later, defaultHealthLimits)).toBeUndefined();
  state = afterReply(state, "forbidden", later, defaultHealthLimits);
  expect(bannedUntil(state, later, defaultHealthLimits)).toBe(later + 60 * minute);
});

test("limit and interval are settings", () => {
  const limits = { unhealthyRequestsLimit: 1, unhealthyIntervalSeconds: 5 };
  expect(bannedUntil(after(["forbidden"], limits), 4999, limits)).toBe(5000);
});

test("a corrected token ends the ban, the same one does not", () => {
  const banned = after(["forbidden", "forbidden", "forbidden"]);
  const corrected = credentialsKey(url, new Secret("glrt-two"));
  expect(bannedUntil(healthOf(banned, corrected), 0, defaultHealthLimits)).toBeUndefined();
  expect(bannedUntil(healthOf(banned, key), 0, defaultHealthLimits)).toBeDefined();
});

test("a clock that is set back does not make the ban longer", () => {
  const state = after(["forbidden", "forbidden", "forbidden"]);
  expect(bannedUntil(state, -1000 * minute, defaultHealthLimits)).toBeUndefined();
});

test("a state that went through JSON is the same state, and shows no token", () => {
  const state = after(["forbidden", "forbidden", "forbidden"]);
  const stored = JSON.stringify(state);
  expect(stored).not.toContain("glrt-one");
  expect(JSON.parse(stored)).toEqual(state);
});

test("the third refusal is said once, with the minutes", () => {
  const health = trackHealth(key);
  expect(health.onReply("forbidden", 0)).toBeUndefined();
  expect(health.onReply("forbidden", 0)).toBeUndefined();
  expect(health.onReply("forbidden", 0)).toContain("3 times in a row: no more requests for 60 min");
  expect(health.bannedUntil(1)).toBe(60 * minute);
  expect(health.state.refusals).toBe(3);
});
