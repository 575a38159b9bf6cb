import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { removeFileVariables, writeFileVariables } from "../../src/agent/file-variables.ts";

function newFolder(): string {
  const home = mkdtempSync(join(tmpdir(), "burst-files-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  return join(home, "deep", "project.tmp");
}

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

test("C59 content is written byte for byte, in a folder made for it", async () => {
  const folder = newFolder();
  const content = "no line end, ünïcode and \u0000";
  await writeFileVariables(folder, [{ path: join(folder, "KEY"), content }], false);
  expect(readFileSync(join(folder, "KEY"), "utf8")).toBe(content);
});

test("on a machine of others only our own user may read them", async () => {
  const folder = newFolder();
  await writeFileVariables(folder, [{ path: join(folder, "KEY"), content: "x" }], false);
  expect(modeOf(folder)).toBe("700");
  expect(modeOf(join(folder, "KEY"))).toBe("600");
});

test("in containers of the job's own every user may, whatever the umask says", async () => {
  const umask = process.umask(0o077);
  onTestFinished(() => void process.umask(umask));
  const folder = newFolder();
  await writeFileVariables(folder, [{ path: join(folder, "KEY"), content: "x" }], true);
  expect(modeOf(folder)).toBe("777");
  expect(modeOf(join(folder, "KEY"))).toBe("666");
});

test("what a script did to a file is undone", async () => {
  const folder = newFolder();
  const path = join(folder, "KEY");
  const write = () => writeFileVariables(folder, [{ path, content: "right" }], false);
  await write();
  writeFileSync(path, "a longer text of the script's");
  await write();
  expect(readFileSync(path, "utf8")).toBe("right");
  rmSync(path);
  mkdirSync(join(path, "sub"), { recursive: true });
  await write();
  expect(readFileSync(path, "utf8")).toBe("right");
});

test("a link that a script left in a file's place is removed and not written through", async () => {
  const folder = newFolder();
  const path = join(folder, "KEY");
  const elsewhere = join(folder, "..", "elsewhere");
  mkdirSync(folder, { recursive: true });
  writeFileSync(elsewhere, "somebody's");
  symlinkSync(elsewhere, path);
  await writeFileVariables(folder, [{ path, content: "secret" }], false);
  expect(readFileSync(elsewhere, "utf8")).toBe("somebody's");
  expect(readFileSync(path, "utf8")).toBe("secret");
});

test("the folder goes with all that is in it, and need not be there", async () => {
  const folder = newFolder();
  await writeFileVariables(folder, [{ path: join(folder, "KEY"), content: "x" }], false);
  await removeFileVariables(folder);
  await removeFileVariables(folder);
  expect(existsSync(folder)).toBe(false);
  expect(existsSync(join(folder, ".."))).toBe(true);
});

test.each(["a link to a folder", "a link to nothing", "a file"])(
  "%s in the folder's place is removed, and nothing is written where it led",
  async (what) => {
    const folder = newFolder();
    const elsewhere = join(folder, "..", "elsewhere");
    mkdirSync(join(folder, ".."), { recursive: true });
    if (what === "a link to a folder") mkdirSync(elsewhere, { mode: 0o755 });
    if (what === "a file") writeFileSync(folder, "");
    else symlinkSync(elsewhere, folder);
    await writeFileVariables(folder, [{ path: join(folder, "KEY"), content: "secret" }], true);
    expect(readFileSync(join(folder, "KEY"), "utf8")).toBe("secret");
    expect(existsSync(join(elsewhere, "KEY"))).toBe(false);
    if (what === "a link to a folder") expect(modeOf(elsewhere)).toBe("755");
  },
);
