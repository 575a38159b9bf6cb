import { rmSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { openRaw } from "../../../src/agent/archive/raw-report.ts";
import type { SelectedEntry } from "../../../src/agent/archive/select-files.ts";
import { plant, scratch } from "./workshop.ts";

function entry(name: string, kind: SelectedEntry["kind"] = "file"): SelectedEntry {
  return { name, path: name, kind };
}

test("the file is sent as it is, from its start each time, even when it is gone by then", async () => {
  const root = await scratch();
  await plant(root, { "r/sast.json": "{}\n" });
  const raw = await openRaw(root, [entry("r", "directory"), entry("r/sast.json")]);
  rmSync(join(root, "r"), { recursive: true });
  expect(raw.sizeBytes).toBe(3);
  expect(await text(raw.body())).toBe("{}\n");
  expect(await text(raw.body())).toBe("{}\n");
  await raw.close();
});

test("an empty file is sent empty", async () => {
  const root = await scratch();
  await plant(root, { f: "" });
  const raw = await openRaw(root, [entry("f")]);
  expect(await text(raw.body())).toBe("");
  await raw.close();
});

test.each([
  ["two files", [entry("a"), entry("b")], "only one file can be sent as raw"],
  ["a directory alone", [entry("d", "directory")], "only one file can be sent as raw"],
  ["a link", [entry("l", "symlink")], "l is a link; only a file can be sent as raw"],
  ["a file that is gone", [entry("gone")], "gone: no such file any more"],
])("%s is refused", async (_, entries, message) => {
  await expect(openRaw(await scratch(), entries)).rejects.toThrow(message);
});
