import { spawnSync } from "node:child_process";
import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";
import { imageArchive, layerOf } from "../../../src/local/agent-image/image-archive.ts";
import { tarArchive } from "../../../src/local/agent-image/tar-archive.ts";

function tar(args: readonly string[], input: Uint8Array): string {
  const { stdout, stderr } = spawnSync("tar", args, {
    input,
    encoding: "utf8",
    env: { TZ: "UTC" },
  });
  expect(stderr).toBe("");
  return stdout;
}

test("tar reads folders, files and links with their modes and owners", () => {
  const archive = tarArchive([
    { path: "bin/", content: "folder" },
    { path: "bin/run", mode: 0o755, uid: 1000, content: Buffer.from("x".repeat(513)) },
    { path: "bin/sh", content: { linkTo: "run" } },
  ]);
  expect(tar(["--numeric-owner", "-tvf", "-"], archive).replaceAll(/ +/g, " ")).toBe(
    "drwxr-xr-x 0/0 0 1970-01-01 00:00 bin/\n" +
      "-rwxr-xr-x 1000/1000 513 1970-01-01 00:00 bin/run\n" +
      "lrwxrwxrwx 0/0 0 1970-01-01 00:00 bin/sh -> run\n",
  );
  expect(tar(["-xOf", "-", "bin/run"], archive)).toBe("x".repeat(513));
});

test("a path too long for tar is refused", () => {
  expect(() => tarArchive([{ path: "p".repeat(101), content: "folder" }])).toThrow(RangeError);
});

test("an image archive has every layer once, and the same parts give the same bytes", async () => {
  const layer = layerOf(tarArchive([{ path: "a", content: Buffer.from("a") }]));
  const images = ["one:1", "two:2"].map((name) => ({
    names: [name],
    layers: [layer],
    config: { Cmd: [name] },
  }));
  const archive = await buffer(imageArchive(images));
  const names = tar(["-tf", "-"], archive).trim().split("\n");
  expect(names).toHaveLength(4);
  expect(names.filter((name) => name === `${layer.digest}/layer.tar`)).toHaveLength(1);
  const manifest: unknown = JSON.parse(tar(["-xOf", "-", "manifest.json"], archive));
  expect(manifest).toMatchObject([{ RepoTags: ["one:1"] }, { RepoTags: ["two:2"] }]);
  expect((await buffer(imageArchive(images))).equals(archive)).toBe(true);
});
