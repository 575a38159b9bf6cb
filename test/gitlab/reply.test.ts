import * as z from "zod";
import { expect, test } from "vitest";
import {
  decodeJson,
  jobNews,
  refusalText,
  type Reply,
  traceSize,
  updateIntervalSeconds,
} from "../../src/gitlab/reply.ts";

function replyOf(text: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 400, header: (name) => headers[name], text, correlationId: "" };
}

test.each([
  ["3", 3],
  ["60", 60],
  ["900", 900],
  ["901", 900],
  ["99999999999", 900],
  ["0", undefined],
  ["-3", undefined],
  ["", undefined],
  ["3.5", undefined],
  ["three", undefined],
  ["1e3", undefined],
  [undefined, undefined],
])("C35 update interval %j means %j seconds", (header, expected) => {
  expect(updateIntervalSeconds(header)).toBe(expected);
});

test.each([
  ["0-5", 5],
  ["0-0", 0],
  ["bytes=0-17", 17],
  [undefined, undefined],
  ["", undefined],
  ["0", undefined],
  ["0-", undefined],
  ["0-x", undefined],
  ["0-5-9", undefined],
  ["0--5", undefined],
])("C34 Range %j of a 416 means a size of %j", (header, expected) => {
  expect(traceSize(header)).toBe(expected);
});

test("an empty Job-Status is none", () => {
  expect(jobNews(replyOf("", { "job-status": "" }))).toEqual({
    jobStatus: undefined,
    intervalSeconds: undefined,
  });
});

test.each([
  ['{"message":"403 Forbidden"}', "HTTP 400: 403 Forbidden"],
  [
    '{"message":{"tag_list":["is too long","is odd"],"x":"y"}}',
    "HTTP 400: tag_list is too long, is odd; x y",
  ],
  [
    '{"error":"invalid_token","error_description":"Token was revoked"}',
    "HTTP 400: invalid_token: Token was revoked",
  ],
  ['{"error":"steps is invalid"}', "HTTP 400: steps is invalid"],
  ['{"message":"two\\nlines\\u0007"}', "HTTP 400: two lines"],
  [
    "<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>",
    "HTTP 400: AccessDenied: Request has expired",
  ],
  ["<html><body>Bad gateway</body></html>", "HTTP 400"],
  ["", "HTTP 400"],
  ["[1,2]", "HTTP 400"],
  ['{"message":null}', "HTTP 400"],
])("the reason in %j is %j", (text, expected) => {
  expect(refusalText(replyOf(text))).toBe(expected);
});

test("plain text is a reason, cut to one short line", () => {
  const long = `over\nquota ${"x".repeat(1000)}`;
  const said = refusalText(replyOf(long, { "content-type": "text/plain; charset=utf-8" }));
  expect(said).toMatch(/^HTTP 400: over quota x+…$/);
  expect(said.length).toBeLessThan(330);
});

test("a complaint about a shape names the places in it and never a value", () => {
  const schema = z.object({ token: z.string(), id: z.number() });
  const reply = replyOf('{"token":{"secret":"glrt-value"},"id":"x"}', {
    "content-type": "application/json",
  });
  const decoded = decodeJson(reply, schema);
  expect(decoded).toEqual({
    kind: "unreadable",
    message: "GitLab's answer (HTTP 400) lacks or misstates: token, id",
  });
});
