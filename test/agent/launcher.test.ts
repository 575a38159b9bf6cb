import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { listenToLauncher } from "../../src/agent/launcher.ts";
import type { LauncherMessage } from "../../src/core/hand-off.ts";
import { buildHandOff } from "./build-hand-off.ts";
import { patient } from "../harness/patient.ts";

const handOff = buildHandOff("/tmp");
const line = (message: unknown) => `${JSON.stringify(message)}\n`;
const notice: LauncherMessage = { kind: "notice", level: "line", text: "hello" };
const failed: LauncherMessage = { kind: "failed" };

test("the first line is the hand-off, in whatever pieces it comes", async () => {
  const stdin = new PassThrough();
  const listening = listenToLauncher(stdin);
  for (const piece of line(handOff).match(/.{1,50}|\n/g) ?? []) stdin.write(piece);
  expect((await listening).handOff).toEqual(handOff);
});

test("what came before anybody listened is heard first, and in order", async () => {
  const stdin = new PassThrough();
  stdin.write(line(handOff) + line(notice));
  const launcher = await listenToLauncher(stdin);
  const heard: LauncherMessage[] = [];
  launcher.listen((message) => heard.push(message));
  stdin.write(line(failed));
  await expect.poll(() => heard, patient).toEqual([notice, failed]);
});

test("what a newer launcher says besides is passed over", async () => {
  const stdin = new PassThrough();
  stdin.write(line({ ...handOff, newer: true }) + line({ kind: "unheard of" }) + "no JSON\n");
  const launcher = await listenToLauncher(stdin);
  const heard: LauncherMessage[] = [];
  launcher.listen((message) => heard.push(message));
  stdin.write(line(failed));
  await expect.poll(() => heard, patient).toEqual([failed]);
});

test("a launcher that dies after the hand-off changes nothing", async () => {
  const stdin = new PassThrough();
  stdin.end(line(handOff));
  expect((await listenToLauncher(stdin)).handOff).toEqual(handOff);
});

test.each([
  ["nothing", "", "stdin ended before it"],
  ["rubbish", "rubbish\n", "JSON"],
  ["something else", line({ kind: "failed" }), "version"],
])("%s is no hand-off", async (_name, text, why) => {
  const stdin = new PassThrough();
  stdin.end(text);
  await expect(listenToLauncher(stdin)).rejects.toThrow(why);
});
