import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { multipartBoundary, readMultipart } from "../../src/stand-in/http/multipart.ts";

async function read(body: string, chunkBytes: number, boundary = "b") {
  const bytes = Buffer.from(body);
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    chunks.push(bytes.subarray(at, at + chunkBytes));
  }
  const parts: [string, string | undefined, string][] = [];
  const outcome = await readMultipart(Readable.from(chunks), boundary, (header) => {
    const content: Buffer[] = [];
    return {
      write(part) {
        content.push(part);
        return true;
      },
      end() {
        parts.push([header.name, header.filename, Buffer.concat(content).toString()]);
      },
    };
  });
  return { outcome, parts };
}

const disposition = "Content-Disposition: form-data; name=";

test.each([1, 2, 3, 7, 16, 1000])(
  "parts survive being cut into chunks of %i bytes",
  async (size) => {
    const body = [
      "this is skipped\r\n--b\r\n",
      `${disposition}"one"\r\n\r\nfirst\r\n--b \r\n`,
      `content-type: text/plain\r\n${disposition}"file"; filename="a \\"b\\".zip"\r\n\r\n\r\n--not b\r\n-\r\n--b\r\n`,
      `${disposition}"empty"\r\n\r\n\r\n--b--\r\nthis too`,
    ].join("");
    const { outcome, parts } = await read(body, size);
    expect(outcome).toEqual({ kind: "complete" });
    expect(parts).toEqual([
      ["one", undefined, "first"],
      ["file", 'a "b".zip', "\r\n--not b\r\n-"],
      ["empty", undefined, ""],
    ]);
  },
);

test.each([
  { what: "is empty", body: "" },
  { what: "has no boundary", body: "something else entirely" },
  { what: "ends in a part", body: `--b\r\n${disposition}"a"\r\n\r\nhalf` },
  { what: "has a part without a name", body: "--b\r\nA: b\r\n\r\nx\r\n--b--" },
  { what: "has text after a boundary", body: `--bc\r\n${disposition}"a"\r\n\r\nx\r\n--b--` },
  { what: "has an endless header", body: `--b\r\nA: ${"x".repeat(20_000)}` },
])("a body that $what is malformed", async ({ body }) => {
  expect((await read(body, 100)).outcome.kind).toBe("malformed");
});

test("a sink that has enough stops the reading", async () => {
  const endless = Readable.from(
    (function* endlessly() {
      yield Buffer.from(`--b\r\n${disposition}"a"\r\n\r\n`);
      for (;;) yield Buffer.alloc(1000);
    })(),
  );
  let size = 0;
  const outcome = await readMultipart(endless, "b", () => ({
    write: (bytes) => {
      size += bytes.length;
      return size < 10_000;
    },
    end: () => undefined,
  }));
  expect(outcome).toEqual({ kind: "stopped" });
});

test.each([
  ["multipart/form-data; boundary=abc", "abc"],
  ['Multipart/Form-Data; charset=utf-8; boundary="a b"', "a b"],
  ["multipart/form-data", undefined],
  ["application/json; boundary=abc", undefined],
  [undefined, undefined],
])("the boundary of %s is %s", (contentType, boundary) => {
  expect(multipartBoundary(contentType)).toBe(boundary);
});
