import { expect, test } from "vitest";
import { createUrlParamMask } from "../../src/core/url-params.ts";
import { bytesOf, cutAtRandom, runBytes, runText, seededRandom, textOf } from "./filter-runs.ts";

test.each([
  ["no parameter", "see https://example.com/?page=2&q=a", "see https://example.com/?page=2&q=a"],
  [
    "C45 the value goes, what follows stays",
    "http://s3/o?X-Amz-Signature=abc&b=1",
    "http://s3/o?X-Amz-Signature=[MASKED]&b=1",
  ],
  [
    "C45 every sensitive parameter",
    "?private_token=1&authenticity_token=2&rss_token=3&x-amz-signature=4&x-amz-credential=5&x-amz-security-token=6 .",
    "?private_token=[MASKED]&authenticity_token=[MASKED]&rss_token=[MASKED]&x-amz-signature=[MASKED]&x-amz-credential=[MASKED]&x-amz-security-token=[MASKED] .",
  ],
  ["C45 case does not matter", "?PRIVATE_Token=1 x", "?PRIVATE_Token=[MASKED] x"],
  ["only after ? or &", "private_token=1 /rss_token=2", "private_token=1 /rss_token=2"],
  [
    "a longer name is another name",
    "?my_private_token=1&private_token2=3",
    "?my_private_token=1&private_token2=3",
  ],
  ["a space ends a value", "?rss_token=!@#$A rest", "?rss_token=[MASKED] rest"],
  ["a ? ends a value", "?rss_token=1?rss_token=2", "?rss_token=[MASKED]?rss_token=[MASKED]"],
  [
    "a control character ends a value",
    "?rss_token=1\b2\n?rss_token=3\t4",
    "?rss_token=[MASKED]\b2\n?rss_token=[MASKED]\t4",
  ],
  [
    "an empty value is masked too",
    "?rss_token=&private_token=\n",
    "?rss_token=[MASKED]&private_token=[MASKED]\n",
  ],
  [
    "a value of many bytes and writes",
    `?rss_token=${"0|".repeat(3000)} end`,
    "?rss_token=[MASKED] end",
  ],
  ["a name over two writes", "x?x-amz-cre|dential=ab|c d", "x?x-amz-credential=[MASKED] d"],
  ["a name a byte at a time", "?|r|s|s|_|t|o|k|e|n|=|a|b| |c", "?rss_token=[MASKED] c"],
  ["a write that ends with the name", "?rss_token=||1 2", "?rss_token=[MASKED] 2"],
  ["the end of the stream", "?rss_token=12", "?rss_token=[MASKED]"],
  ["a name with no end", "?rss_tok", "?rss_tok"],
  ["a value with a masked secret in it", "?rss_token=a[MASKED]b c", "?rss_token=[MASKED] c"],
  ["a value that is not ASCII", "?rss_token=größe| x", "?rss_token=[MASKED] x"],
])("%s", (_, writes, expected) => {
  expect(runText(createUrlParamMask(), writes)).toBe(expected);
});

test("nothing is held back", () => {
  const mask = createUrlParamMask();
  expect(textOf(mask.write(bytesOf("Really?")))).toBe("Really?");
  expect(textOf(mask.write(bytesOf("rss_token=1")))).toBe("rss_token=[MASKED]");
});

test("however a stream is cut, the same comes out", () => {
  const random = seededRandom(45);
  const text =
    "GET /a?x=1&private_token=glpat-1&X-Amz-Credential=a/b%2F?rss_token=\n&rss_token=&rss_tokenx=1 &RSS_TOKEN==== é";
  const whole = runText(createUrlParamMask(), text);
  for (let round = 0; round < 300; round++) {
    const writes = cutAtRandom(random, bytesOf(text), 12);
    expect(textOf(runBytes(createUrlParamMask(), writes))).toBe(whole);
  }
});
