import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { downloadArtifacts } from "../../src/agent/download-artifacts.ts";
import type { DownloadOutcome } from "../../src/agent/download-artifacts.ts";
import { RunnerError } from "../../src/core/errors.ts";
import type { Dependency } from "../../src/core/job.ts";
import { buildJob } from "../core/build-job.ts";
import { makeZip } from "./archive/made-zip.ts";
import { never, plant, recordingLog, scratch } from "./archive/workshop.ts";

type Receive = (body: AsyncIterable<Uint8Array>) => Promise<void>;
type Download = (dependency: Dependency, receive: Receive) => Promise<DownloadOutcome>;

interface Downloaded {
  readonly project: string;
  readonly lines: readonly string[];
  readonly asked: readonly number[];
  readonly left: readonly string[];
  readonly error: unknown;
}

const withArtifacts = { artifacts_file: { filename: "artifacts.zip", size: 10 } };

async function download(
  dependencies: readonly Record<string, unknown>[],
  answer: Download,
  signal = never,
  attempts = 1,
): Promise<Downloaded> {
  const root = await scratch();
  await plant(root, { "project/kept": "kept", "project/same": "old" });
  const log = recordingLog();
  const asked: number[] = [];
  const project = join(root, "project");
  const error = await downloadArtifacts({
    dependencies: buildJob({ dependencies }).dependencies,
    projectDir: project,
    tempDir: join(root, "scratch"),
    download: async (dependency, receive) => {
      asked.push(dependency.id);
      return await answer(dependency, receive);
    },
    attempts,
    log,
    signal,
    sleep: (milliseconds) => {
      log.lines.push(`(waited ${milliseconds} ms)`);
      return Promise.resolve();
    },
  }).catch((thrown: unknown) => thrown);
  mkdirSync(join(root, "scratch"), { recursive: true });
  return { project, lines: log.lines, asked, left: readdirSync(join(root, "scratch")), error };
}

async function* inPieces(bytes: Uint8Array, pieceBytes = 50): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += pieceBytes) yield bytes.subarray(i, i + pieceBytes);
}

async function* endless(meanwhile: () => void): AsyncGenerator<Uint8Array> {
  for (;;) {
    yield new Uint8Array(10);
    meanwhile();
  }
}

/** Sends `bytes` whole. */
function sending(bytes: Uint8Array): Download {
  return async (_, receive) => {
    await receive(inPieces(bytes));
    return { kind: "received" };
  };
}

async function zipOf(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const members = Object.entries(files).map(([name, content]) => ({
    name,
    content,
    deflate: true,
  }));
  return await readFile(await makeZip(await scratch(), members));
}

test("an archive is unpacked over the project, and told in GitLab's words", async () => {
  const bytes = await zipOf({ "out/a": "a", same: "new" });
  const dependencies = [{ id: 123, name: "build", ...withArtifacts }];
  const { project, lines, left, error } = await download(dependencies, sending(bytes));
  expect(error).toBeUndefined();
  expect(readFileSync(join(project, "out/a"), "utf8")).toBe("a");
  expect(readFileSync(join(project, "same"), "utf8")).toBe("new");
  expect(readFileSync(join(project, "kept"), "utf8")).toBe("kept");
  expect(lines).toEqual([
    "info: Downloading artifacts for build (123)...",
    "Downloading artifacts from coordinator... ok  id=123",
  ]);
  expect(left).toEqual([]);
});

test("C56 a dependency without artifacts_file is not downloaded", async () => {
  const dependencies = [
    { id: 1, name: "none" },
    { id: 2, name: "null", artifacts_file: null },
    { id: 3, name: "unnamed", artifacts_file: { filename: "", size: 0 } },
    { id: 4, name: "build", ...withArtifacts },
  ];
  const { asked, lines } = await download(dependencies, sending(await zipOf({ a: "a" })));
  expect(asked).toEqual([4]);
  expect(lines).toHaveLength(2);
});

describe("C56 a refusal fails the stage", () => {
  test.each<[number | undefined, string]>([
    [404, "404 not found"],
    [403, "403 forbidden"],
    [401, "401 unauthorized"],
    [undefined, "error"],
  ])("%s", async (status, words) => {
    const refused: DownloadOutcome = { kind: "refused", status, message: "no such artifacts" };
    const dependencies = [
      { id: 5, name: "build", ...withArtifacts },
      { id: 6, name: "later", ...withArtifacts },
    ];
    const { error, lines, asked, left } = await download(dependencies, async () => refused);
    expect(error).toBeInstanceOf(RunnerError);
    const message = `Downloading artifacts from coordinator... ${words}  id=5: no such artifacts`;
    expect(error).toMatchObject({ reason: "script_failure", exitCode: 1, message });
    expect(lines.at(-1)).toBe(`ERROR: ${message}`);
    expect(asked).toEqual([5]);
    expect(left).toEqual([]);
  });
});

test("a body that broke off is begun anew by the next try", async () => {
  const bytes = await zipOf({ a: "whole" });
  const { project, error } = await download(
    [{ id: 5, name: "build", ...withArtifacts }],
    async (_, receive) => {
      await receive(inPieces(Buffer.alloc(10_000, "half of something"))).catch(() => undefined);
      await receive(inPieces(bytes));
      return { kind: "received" };
    },
  );
  expect(error).toBeUndefined();
  expect(readFileSync(join(project, "a"), "utf8")).toBe("whole");
});

describe("an archive that cannot be unpacked fails the stage, and the log says why", () => {
  test.each<[string, Buffer, string]>([
    ["gzip", gzipSync("x"), "the archive is gzip, for which there is no extractor"],
    ["zstd", Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0]), "the archive is tarzstd, for which"],
    ["nothing", Buffer.alloc(0), "the archive cannot be unpacked"],
    ["a web page", Buffer.from("<html>busy</html>"), "the archive cannot be unpacked"],
  ])("%s", async (_, bytes, message) => {
    const dependencies = [{ id: 5, name: "build", ...withArtifacts }];
    const { error, left, lines } = await download(dependencies, sending(bytes));
    expect(error).toBeInstanceOf(RunnerError);
    expect(error).toMatchObject({ reason: "script_failure", exitCode: 1 });
    expect(lines.at(-1)).toContain(`ERROR: artifacts of build (5): ${message}`);
    expect(left).toEqual([]);
  });
});

test("a name that leads out of the project fails the stage and writes nothing outside", async () => {
  const bytes = await zipOf({ "../evil": "x" });
  const dependencies = [{ id: 5, name: "build", ...withArtifacts }];
  const { error, project } = await download(dependencies, sending(bytes));
  expect(error).toMatchObject({ message: expect.stringContaining("invalid relative path") });
  expect(existsSync(join(project, "../evil"))).toBe(false);
});

test("an abort comes out as the signal's reason", async () => {
  const reason = new RunnerError("job_canceled", "canceled");
  const controller = new AbortController();
  const { error, left } = await download(
    [{ id: 5, name: "build", ...withArtifacts }],
    async (_, receive) => {
      await receive(endless(() => controller.abort(reason)));
      return { kind: "received" };
    },
    controller.signal,
  );
  expect(error).toBe(reason);
  expect(left).toEqual([]);
});

test("ARTIFACT_DOWNLOAD_ATTEMPTS: what failed is tried as often, with longer and longer waits", async () => {
  const zip = await zipOf({ made: "late" });
  let failures = 2;
  const answer: Download = async (dependency, receive) =>
    failures-- > 0
      ? { kind: "refused", status: 500, message: "broken" }
      : await sending(zip)(dependency, receive);
  const dependencies = [{ id: 7, name: "make", token: "t", ...withArtifacts }];
  const tried = await download(dependencies, answer, never, 3);
  expect(tried.error).toBeUndefined();
  expect(tried.asked).toEqual([7, 7, 7]);
  expect(readFileSync(join(tried.project, "made"), "utf8")).toBe("late");
  expect(tried.lines.filter((line) => /waited|Retrying/.test(line))).toEqual([
    "(waited 5000 ms)",
    expect.stringContaining("Retrying to download artifacts (attempt 2/3)..."),
    "(waited 10000 ms)",
    expect.stringContaining("Retrying to download artifacts (attempt 3/3)..."),
  ]);

  failures = 9;
  const inVain = await download(dependencies, answer, never, 2);
  expect(inVain.asked).toEqual([7, 7]);
  expect(inVain.error).toBeInstanceOf(RunnerError);
});
