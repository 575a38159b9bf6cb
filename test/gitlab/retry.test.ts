import { expect, test } from "vitest";
import { isRetryable, retryWaitSeconds } from "../../src/gitlab/retry.ts";

const nowMs = Date.parse("2015-10-21T07:28:00Z");
const later = "Wed, 21 Oct 2015 07:28:30 GMT";

test("C26 only 408, 429, 500, 502, 503, 504 and 512 upwards are asked for again", () => {
  const all = Array.from({ length: 500 }, (_, index) => index + 100);
  const retried = all.filter(isRetryable);
  expect(retried.slice(0, 6)).toEqual([408, 429, 500, 502, 503, 504]);
  expect(retried.slice(6)).toEqual(all.filter((status) => status >= 512));
});

test.each([
  ["C27 RateLimit-ResetTime beats Retry-After", later, "7", 30],
  ["Retry-After counts where there is no reset time", undefined, "7", 7],
  ["a reset time in the past is passed over", "Wed, 21 Oct 2015 07:27:00 GMT", "7", 7],
  ["a reset time that is no RFC 1123 date is passed over", "2015-10-21T07:28:30Z", "7", 7],
  ["a reset time with a weekday only is passed over", "Wed", "7", 7],
  ["Retry-After as a date is passed over", undefined, later, 0.1],
  ["Retry-After of 0 is passed over", undefined, "0", 0.1],
  ["a negative Retry-After is passed over", undefined, "-5", 0.1],
  ["a fractional Retry-After is passed over", undefined, "1.5", 0.1],
])("%s", (_, rateLimitResetTime, retryAfter, expected) => {
  expect(retryWaitSeconds({ rateLimitResetTime, retryAfter, attempts: 1, nowMs, chance: 0 })).toBe(
    expected,
  );
});

test.each([
  [1, [0.1, 0.2, 0.4, 0.8, 60]],
  [0, [0.1, 0.1, 0.1, 0.1, 0.1]],
])("without a header the wait doubles from 100 ms to 60 s; chance %d of it", (chance, expected) => {
  const waits = [1, 2, 3, 4, 20].map((attempts) =>
    retryWaitSeconds({
      rateLimitResetTime: undefined,
      retryAfter: undefined,
      attempts,
      nowMs,
      chance,
    }),
  );
  expect(waits).toEqual(expected);
});
