import { expect, test } from "vitest";
import { createStageOutput } from "../../src/agent/stage-output.ts";

const nonce = "0123456789abcdef0123456789abcdef";
const mark = `\0burst-end ${nonce}\0`;

/** Takes the chunks of one stage; gives what was handed on, and whether the stage's end was seen. */
async function taken(...chunks: readonly string[]) {
  let text = "";
  let ended = false;
  const output = createStageOutput((bytes) => {
    text += Buffer.from(bytes).toString("latin1");
  });
  void output.expect(nonce).then(() => {
    ended = true;
  });
  for (const chunk of chunks) output.take(Buffer.from(chunk, "latin1"));
  await Promise.resolve();
  const before = text;
  output.flush();
  return { text, before, ended };
}

test("the mark ends a stage and does not show", async () => {
  expect(await taken("all of it\n", mark)).toMatchObject({ text: "all of it\n", ended: true });
});

test.each([...mark].map((_, at) => at).slice(1))(
  "a mark that comes in two pieces, cut after %i bytes, is still one",
  async (at) => {
    const result = await taken(`text${mark.slice(0, at)}`, `${mark.slice(at)}more`);
    expect(result).toMatchObject({ text: "textmore", ended: true });
  },
);

test("a mark that comes byte by byte is still one", async () => {
  expect(await taken("text", ...mark)).toMatchObject({ text: "text", ended: true });
});

test("what comes in the same piece behind the mark is not lost", async () => {
  expect(await taken(`before${mark}behind`)).toMatchObject({ text: "beforebehind", ended: true });
});

test("what only looks like the beginning of a mark is held back, and handed on when it is none", async () => {
  expect(await taken("text\0burst-en", "ough")).toMatchObject({
    text: "text\0burst-enough",
    ended: false,
  });
  expect(await taken("text\0burst-end 0123")).toEqual({
    before: "text",
    text: "text\0burst-end 0123",
    ended: false,
  });
});

test("another stage's mark is plain output", async () => {
  const other = mark.replace("0123", "3210");
  expect(await taken(other, mark)).toMatchObject({ text: other, ended: true });
});

test("many NULs in a row are handed on", async () => {
  const nuls = "\0".repeat(10_000);
  expect(await taken(nuls, "\0burst", nuls)).toMatchObject({ text: `${nuls}\0burst${nuls}` });
});

test("while no stage runs, everything is handed on at once", () => {
  const seen: string[] = [];
  const output = createStageOutput((bytes) => seen.push(Buffer.from(bytes).toString("latin1")));
  output.take(Buffer.from(mark, "latin1"));
  expect(seen).toEqual([mark]);
});

test("held bytes survive the reuse of the buffer that they came in", async () => {
  let text = "";
  const output = createStageOutput((bytes) => {
    text += Buffer.from(bytes).toString("latin1");
  });
  void output.expect(nonce);
  const buffer = Buffer.from("ab\0burst-e", "latin1");
  output.take(buffer);
  buffer.fill("x");
  output.take(Buffer.from("x"));
  expect(text).toBe("ab\0burst-ex");
});
