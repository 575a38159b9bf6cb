import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { selectFiles } from "../../../src/agent/archive/select-files.ts";
import { never, plant, recordingLog, scratch } from "./workshop.ts";

type Options = Partial<{ exclude: string[]; untracked: string[]; projectDir: string }>;

async function select(
  root: string,
  paths: readonly string[],
  { exclude = [], untracked, projectDir = root }: Options = {},
): Promise<{ readonly names: string[]; readonly lines: string[]; readonly kinds: string[] }> {
  const log = recordingLog();
  const wanted = { projectDir, paths, exclude, untracked, log, signal: never };
  const entries = await selectFiles(wanted);
  return {
    names: entries.map(({ name }) => name),
    kinds: entries.map(({ kind }) => kind),
    lines: log.lines,
  };
}

const project = {
  "out/a.o": "a",
  "out/.hidden": "h",
  "out/sub/b.o": "b",
  "out/sub/empty/": "",
  "src/main.c": "c",
  ".git/config": "g",
};

describe("what paths choose", () => {
  test.each([
    ["a file", ["src/main.c"], ["src/main.c"]],
    [
      "a directory with all that is in it",
      ["out"],
      ["out", "out/.hidden", "out/a.o", "out/sub", "out/sub/b.o", "out/sub/empty"],
    ],
    ["a directory with a slash behind it", ["src/"], ["src", "src/main.c"]],
    ["a pattern", ["**/*.o"], ["out/a.o", "out/sub/b.o"]],
    [
      "a pattern that matches a directory takes all in it",
      ["out/s*"],
      ["out/sub", "out/sub/b.o", "out/sub/empty"],
    ],
    ["alternatives", ["{src,out/sub}/*.{c,o}"], ["out/sub/b.o", "src/main.c"]],
    ["a path with dots in it", ["./out/../src/main.c"], ["src/main.c"]],
    ["what two paths choose is there once", ["out/a.o", "out/*.o"], ["out/a.o"]],
  ])("%s", async (_, paths, names) => {
    const root = await scratch();
    await plant(root, project);
    expect((await select(root, paths)).names).toEqual(names);
  });
});

test("an absolute path counts inside the project", async () => {
  const root = await scratch();
  await plant(root, { "x/a": "", "x/b": "" });
  const found = await select(root, [join(root, "x/a"), join(root, "x/*")]);
  expect(found.names).toEqual(["x/a", "x/b"]);
});

test("nothing is chosen through a link that a job has put in its project's place", async () => {
  const root = await scratch();
  await plant(root, { "real/x/a": "", alias: { to: "real" } });
  for (const projectDir of [join(root, "alias"), join(root, "alias/x")]) {
    await expect(select(root, ["a", "x/a"], { projectDir })).rejects.toThrow(
      /is not the project's folder any more/,
    );
  }
});

test("what is found is said per path, in GitLab's words", async () => {
  const root = await scratch();
  await plant(root, project);
  const { lines } = await select(root, ["out/", "missing", "src/*.h", ""], { exclude: ["**/*.o"] });
  const hint = `Ensure that the artifact path is relative to the working directory (${root})`;
  expect(lines).toEqual([
    "out/: found 4 matching artifact files and directories",
    `WARNING: missing: no matching files. ${hint}`,
    `WARNING: src/*.h: no matching files. ${hint}`,
    "WARNING: No matching files. Path is empty.",
    "**/*.o: excluded 2 files",
  ]);
});

test.each(["/etc/passwd", "../x", "a/../../x", "../*", "/"])(
  "%s is outside the project and left alone",
  async (path) => {
    const root = await scratch();
    const { names, lines } = await select(root, [path]);
    expect(names).toEqual([]);
    expect(lines).toEqual([
      `WARNING: artifact path is not a subpath of project directory: ${path}`,
    ]);
  },
);

test("excluding a directory leaves out its entry, not what is in it", async () => {
  const root = await scratch();
  await plant(root, project);
  const { names } = await select(root, ["out/sub", "src"], { exclude: ["out/sub", "src/**"] });
  expect(names).toEqual(["out/sub/b.o", "out/sub/empty"]);
});

test("an exclude that cannot be meant is said and does not hide the others", async () => {
  const root = await scratch();
  await plant(root, { a: "", b: "" });
  const { names, lines } = await select(root, ["*"], { exclude: ["[", "../x", "b"] });
  expect(names).toEqual(["a"]);
  expect(lines[0]).toContain("[: syntax error in pattern");
});

test("untracked files come as git lists them, a nested repository as a directory", async () => {
  const root = await scratch();
  await plant(root, { "a b": "", "nested/.git/": "", kept: "" });
  const untracked = ["a b", "nested/", "vanished"];
  const { names, lines } = await select(root, [], { untracked, exclude: [] });
  expect(names).toEqual(["a b", "nested"]);
  expect(lines).toEqual(["untracked: found 2 files"]);
  expect((await select(root, [], { untracked: [] })).lines).toEqual([
    "WARNING: untracked: no files",
  ]);
});

test("links are taken as links, and no pattern walks through one", async () => {
  const root = await scratch();
  await plant(root, {
    "real/a": "",
    "out/inside": { to: "../real" },
    "out/etc": { to: "/etc" },
    "out/dangling": { to: "nowhere" },
    "out/loop": { to: "." },
  });
  const { names, kinds } = await select(root, ["out/**"]);
  expect(names).toEqual(["out", "out/dangling", "out/etc", "out/inside", "out/loop"]);
  expect(kinds.slice(1)).toEqual(["symlink", "symlink", "symlink", "symlink"]);
});

test("a path spelt out through a link is followed inside the project and keeps its name", async () => {
  const root = await scratch();
  await plant(root, { "build-x86/out/a": "", build: { to: "build-x86" } });
  expect((await select(root, ["build/out"])).names).toEqual(["build/out", "build/out/a"]);
  expect((await select(root, ["build/*/a"])).names).toEqual(["build/out/a"]);
});

test("a path spelt out through a link that leads out is refused, and that is said", async () => {
  const root = await scratch();
  await plant(root, { etc: { to: "/etc" } });
  for (const path of ["etc/passwd", "etc/*"]) {
    const { names, lines } = await select(root, [path]);
    expect(names).toEqual([]);
    expect(lines[0]).toBe("WARNING: etc leads out of the project through a symbolic link");
  }
});

test("names may hold line breaks, blanks, a leading dash and any character", async () => {
  const root = await scratch();
  const names = ["-rf", "a\nb", " blank ", "käse-😀", "$(x)", "back\\slash"].toSorted();
  await plant(root, Object.fromEntries(names.map((name) => [`out/${name}`, ""])));
  expect((await select(root, ["out/*"])).names).toEqual(names.map((name) => `out/${name}`));
});

test("a name that is not UTF-8 is left out, and that is said", async () => {
  const root = await scratch();
  await plant(root, { "out/ok": "" });
  writeFileSync(Buffer.concat([Buffer.from(`${root}/out/`), Buffer.from([0xe4, 0x2e, 0x63])]), "");
  const { names, lines } = await select(root, ["out/*"]);
  expect(names).toEqual(["out/ok"]);
  expect(lines[0]).toContain("its name is not valid UTF-8");
});

test("FIFOs and sockets are left out without being opened", async () => {
  const root = await scratch();
  await plant(root, { "out/a": "" });
  execFileSync("mkfifo", [join(root, "out/fifo")]);
  const server = createServer().listen(join(root, "out/socket"));
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  const { names, lines } = await select(root, ["out/*"]);
  expect(names).toEqual(["out/a"]);
  expect(lines.toSorted().slice(0, 2)).toEqual([
    "WARNING: File ignored: out/fifo: a FIFO, a socket or a device",
    "WARNING: File ignored: out/socket: a FIFO, a socket or a device",
  ]);
});

test("the whole project is chosen with .git, and a warning", async () => {
  const root = await scratch();
  await plant(root, project);
  const { names, lines } = await select(root, ["."]);
  expect(names).toContain(".git/config");
  expect(lines).toContain("WARNING: Part of .git directory is on the list of files to archive");
});

test("without a project directory there is nothing to find", async () => {
  const root = await scratch();
  const { names, lines } = await select(root, ["a", "*"], { projectDir: join(root, "none") });
  expect(names).toEqual([]);
  expect(lines).toHaveLength(2);
});
