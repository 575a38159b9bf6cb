import * as fs from "node:fs";
import { chmod, mkdir, readFile, rename, symlink } from "node:fs/promises";
import { join } from "node:path";
import * as zlib from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { projectTree } from "../../../src/agent/archive/project-tree.ts";
import type { ProjectTree } from "../../../src/agent/archive/project-tree.ts";
import { plant, scratch } from "./workshop.ts";

function open(root: string): ProjectTree {
  const tree = projectTree({ fs, zlib }, root);
  onTestFinished(() => tree.close());
  return tree;
}

function codeOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
  return "nothing thrown";
}

test("a directory is entered by its name, one after the other", async () => {
  const root = await scratch();
  await plant(root, { "a/b/file": "deep", "c/file": "flat" });
  const tree = open(root);
  expect(fs.readFileSync(`${tree.enter("a/b")}/file`, "utf8")).toBe("deep");
  expect(fs.readFileSync(`${tree.enter("c")}/file`, "utf8")).toBe("flat");
  expect(fs.readdirSync(tree.enter("")).toSorted()).toEqual(["a", "c"]);
});

test("a link is not entered, wherever it leads", async () => {
  const root = await scratch();
  await plant(root, { "a/file": "", inside: { to: "a" }, outside: { to: "/etc" } });
  const tree = open(root);
  expect(codeOf(() => tree.enter("inside"))).toBe("ELINK");
  expect(codeOf(() => tree.enter("outside"))).toBe("ELINK");
  expect(codeOf(() => tree.enter("a/file"))).toBe("ENOTDIR");
});

test.each(["..", "a/../..", "a//b", "./a", "/etc"])("%s is no plain path", async (path) => {
  const root = await scratch();
  await plant(root, { "a/b/": "" });
  expect(codeOf(() => open(root).enter(path))).toBe("EOUTSIDE");
});

test("a directory that is swapped for a link after it was entered still names what it was", async () => {
  const root = await scratch();
  await plant(root, { "a/file": "mine", "elsewhere/file": "theirs" });
  const tree = open(root);
  const path = tree.enter("a");
  await rename(join(root, "a"), join(root, "moved"));
  await symlink("elsewhere", join(root, "a"));
  expect(fs.readFileSync(`${path}/file`, "utf8")).toBe("mine");
});

test("links are resolved as long as they stay inside", async () => {
  const root = await scratch();
  await plant(root, {
    "real/deep/": "",
    short: { to: "real" },
    self: { to: "." },
    etc: { to: "/etc" },
    up: { to: "../../.." },
  });
  const tree = open(root);
  expect(tree.resolve("short/deep", false)).toBe("real/deep");
  expect(tree.resolve("self/self/real", false)).toBe("real");
  expect(codeOf(() => tree.resolve("etc", false))).toBe("EOUTSIDE");
  expect(codeOf(() => tree.resolve("up/x", true))).toBe("EOUTSIDE");
  expect(codeOf(() => tree.resolve("none", false))).toBe("ENOENT");
});

test("missing directories are made when asked for, behind links too", async () => {
  const root = await scratch();
  await plant(root, { "real/": "", link: { to: "real" } });
  expect(open(root).resolve("link/new/er", true)).toBe("real/new/er");
  expect(fs.statSync(join(root, "real/new/er")).isDirectory()).toBe(true);
});

test("a project directory that is a link, or is reached by one, is not the project", async () => {
  const root = await scratch();
  await mkdir(join(root, "real/a"), { recursive: true });
  await symlink("real", join(root, "project"));
  for (const path of ["project", "project/a"]) {
    expect(codeOf(() => open(join(root, path)))).toBe("ELINK");
  }
});

test.skipIf(process.getuid?.() !== 0)("folders above it need not be listable", async () => {
  const root = await scratch();
  await plant(root, { "above/project/a/file": "" });
  await chmod(root, 0o711);
  await chmod(join(root, "above"), 0o711);
  process.seteuid?.(65_534);
  try {
    expect(fs.readdirSync(open(join(root, "above/project")).enter("a"))).toEqual(["file"]);
  } finally {
    process.seteuid?.(0);
  }
});

test("a created file replaces what was there and never writes through it", async () => {
  const root = await scratch();
  await plant(root, { victim: "untouched", link: { to: "victim" }, other: "old" });
  fs.linkSync(join(root, "other"), join(root, "hard"));
  const tree = open(root);
  for (const name of ["link", "hard", "new/file"]) {
    const fd = tree.createFile(name);
    fs.writeSync(fd, "new");
    fs.closeSync(fd);
    expect(await readFile(join(root, name), "utf8")).toBe("new");
  }
  expect(await readFile(join(root, "victim"), "utf8")).toBe("untouched");
  expect(await readFile(join(root, "other"), "utf8")).toBe("old");
});

test("a directory is not replaced by a file", async () => {
  const root = await scratch();
  await plant(root, { "a/b": "" });
  expect(codeOf(() => open(root).createFile("a"))).toBe("EISDIR");
});
