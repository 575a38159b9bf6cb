import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { uploadArtifacts } from "../../src/agent/upload-artifacts.ts";
import type {
  UploadInput,
  UploadOutcome,
  UploadRequest,
  UploadsOutcome,
} from "../../src/agent/upload-artifacts.ts";
import type { Job } from "../../src/core/job.ts";
import { buildJob } from "../core/build-job.ts";
import { never, plant, readZip, recordingLog, scratch } from "./archive/workshop.ts";
import type { ReadMember } from "./archive/workshop.ts";

interface Sent extends UploadRequest {
  /** Of each attempt. */
  readonly bodies: readonly Buffer[];
}

interface Uploaded {
  readonly outcome: UploadsOutcome;
  readonly sent: readonly Sent[];
  readonly lines: readonly string[];
  /** What is still in the scratch. */
  readonly left: readonly string[];
}

interface Case {
  readonly files?: Parameters<typeof plant>[1];
  readonly artifacts: readonly Record<string, unknown>[];
  readonly job?: Record<string, unknown>;
  readonly answer?: (request: UploadRequest) => UploadOutcome;
  readonly attempts?: number;
  readonly variables?: Readonly<Record<string, string>>;
  readonly change?: Partial<UploadInput>;
}

const archive = { artifact_type: "archive", artifact_format: "zip" };

async function upload(example: Case): Promise<Uploaded> {
  const root = await scratch();
  await plant(root, { "project/": "" });
  await plant(join(root, "project"), example.files ?? {});
  const log = recordingLog();
  const sent: Sent[] = [];
  const job: Job = buildJob({ ...example.job, artifacts: example.artifacts });
  const variables = { CI_PROJECT_DIR: join(root, "project"), ...example.variables };
  const outcome = await uploadArtifacts({
    job,
    specs: job.artifacts,
    projectDir: join(root, "project"),
    tempDir: join(root, "scratch"),
    expand: (text) =>
      text.replaceAll(/\$\{?(\w+)\}?/g, (_, name: string) =>
        Object.entries(variables).reduce((value, [key, v]) => (key === name ? v : value), ""),
      ),
    compressionLevel: "default",
    untracked: () => Promise.resolve([]),
    upload: async (request) => {
      const bodies: Buffer[] = [];
      for (let i = 0; i < (example.attempts ?? 1); i++) bodies.push(await buffer(request.body()));
      sent.push({ ...request, bodies });
      return example.answer?.(request) ?? { kind: "uploaded" };
    },
    log,
    signal: never,
    now: () => Date.parse("2026-01-02T03:04:05Z"),
    ...example.change,
  });
  mkdirSync(join(root, "scratch"), { recursive: true });
  return { outcome, sent, lines: log.lines, left: readdirSync(join(root, "scratch")) };
}

async function membersOf(bytes: Buffer | undefined): Promise<Map<string, ReadMember>> {
  const file = join(await scratch(), "sent.zip");
  await writeFile(file, bytes ?? "");
  return await readZip(file);
}

test("an archive is packed, sent with what GitLab asked for, and told in GitLab's words", async () => {
  const { outcome, sent, lines, left } = await upload({
    files: { "out/a": "a", "out/b": "b" },
    artifacts: [{ ...archive, name: "$KIND/$KIND-x", paths: ["$OUT/"], expire_in: "1 week" }],
    variables: { KIND: "build", OUT: "out" },
  });
  expect(outcome).toEqual({ kind: "ok" });
  expect(sent).toHaveLength(1);
  expect(sent[0]).toMatchObject({
    fileName: "build-x.zip",
    format: "zip",
    type: "archive",
    expireIn: "1 week",
    sizeBytes: sent[0]?.bodies[0]?.length,
  });
  expect([...(await membersOf(sent[0]?.bodies[0])).keys()]).toEqual(["out/", "out/a", "out/b"]);
  expect(lines).toEqual([
    "info: Uploading artifacts...",
    "out/: found 3 matching artifact files and directories",
    'Uploading artifacts as "archive" to coordinator... 201 Created  id=42',
  ]);
  expect(left).toEqual([]);
});

test("a retry sends the same bytes, though the project has changed meanwhile", async () => {
  const { sent } = await upload({
    files: { f: "f" },
    artifacts: [{ ...archive, paths: ["f"] }],
    attempts: 3,
  });
  const [first, second, third] = sent[0]?.bodies ?? [];
  expect(first?.length).toBeGreaterThan(0);
  expect(second?.equals(first ?? Buffer.alloc(0))).toBe(true);
  expect(third?.equals(first ?? Buffer.alloc(0))).toBe(true);
});

test("C53 nothing to upload is said and fails nothing", async () => {
  const { outcome, sent, lines } = await upload({
    artifacts: [{ ...archive, paths: ["missing"] }],
  });
  expect(outcome).toEqual({ kind: "ok" });
  expect(sent).toEqual([]);
  expect(lines.at(-1)).toBe("ERROR: No files to upload");
  expect(lines[1]).toContain("WARNING: missing: no matching files. Ensure that the artifact path");
});

describe("C53 a failed upload is a failure", () => {
  test.each<[string, UploadOutcome, string]>([
    [
      "too large",
      { kind: "refused", status: 413, message: "over the limit" },
      "413 Payload Too Large",
    ],
    ["forbidden", { kind: "refused", status: 403, message: "job is over" }, "403 Forbidden"],
    ["no answer", { kind: "refused", message: "connection reset" }, "error"],
  ])("%s", async (_, answer, words) => {
    const spec = { ...archive, paths: ["f"] };
    const uploaded = await upload({ files: { f: "f" }, artifacts: [spec], answer: () => answer });
    const why = answer.kind === "refused" ? answer.message : "";
    expect(uploaded.outcome).toEqual({
      kind: "failed",
      message: `GitLab did not take the artifacts "archive": ${why}`,
    });
    expect(uploaded.lines.at(-1)).toBe(
      `ERROR: Uploading artifacts as "archive" to coordinator... ${words}  id=42: ${why}`,
    );
    expect(uploaded.left).toEqual([]);
  });
});

test("a failed artifact does not keep the others from being sent", async () => {
  const { outcome, sent } = await upload({
    files: { a: "a", b: "b" },
    artifacts: [
      { ...archive, paths: ["a"] },
      { artifact_type: "sast", artifact_format: "raw", paths: ["b"] },
    ],
    answer: ({ type }) =>
      type === "archive" ? { kind: "refused", status: 413, message: "big" } : { kind: "uploaded" },
  });
  expect(sent.map(({ type }) => type)).toEqual(["archive", "sast"]);
  expect(outcome.kind).toBe("failed");
});

test("an artifact without paths and untracked is not spoken of", async () => {
  const { lines } = await upload({ artifacts: [{ ...archive, paths: [] }] });
  expect(lines).toEqual([]);
});

test("untracked files are asked for only where they are wanted", async () => {
  const { sent, lines } = await upload({
    files: { "new file": "n", tracked: "t" },
    artifacts: [{ ...archive, untracked: true }],
    change: { untracked: () => Promise.resolve(["new file"]) },
  });
  expect([...(await membersOf(sent[0]?.bodies[0])).keys()]).toEqual(["new file"]);
  expect(lines).toContain("untracked: found 1 files");
});

describe("the file's name", () => {
  test.each([
    ["none", {}, "artifacts.zip"],
    ["with variables", { name: "x-$REF" }, "x-main.zip"],
    ["the last part of a path", { name: "a/b/c" }, "c.zip"],
    ["nothing left of it", { name: "$UNSET" }, "default.zip"],
    ["no format", { artifact_format: "" }, "artifacts.zip"],
    ["gzip", { name: "junit.xml", artifact_format: "gzip" }, "junit.xml.gz"],
    ["raw", { name: "sast.json", artifact_format: "raw" }, "sast.json"],
  ])("%s", async (_, spec, name) => {
    const artifacts = [{ ...archive, paths: ["f"], ...spec }];
    const { sent } = await upload({ files: { f: "f" }, artifacts, variables: { REF: "main" } });
    expect(sent[0]?.fileName).toBe(name);
  });
});

test("a gzip report is one gzip member per file", async () => {
  const junit = {
    artifact_type: "junit",
    artifact_format: "gzip",
    name: "junit.xml",
    paths: ["**/*.xml"],
  };
  const { sent } = await upload({ files: { "b.xml": "B", "a/a.xml": "A" }, artifacts: [junit] });
  const body = sent[0]?.bodies[0] ?? Buffer.alloc(0);
  expect(gunzipSync(body).toString()).toBe("AB");
  expect(sent[0]?.sizeBytes).toBe(body.length);
});

test("two files cannot be sent as raw", async () => {
  const spec = { artifact_type: "sast", artifact_format: "raw", paths: ["*"] };
  const { outcome, sent, lines } = await upload({ files: { a: "", b: "" }, artifacts: [spec] });
  expect(outcome).toEqual({ kind: "failed", message: "only one file can be sent as raw" });
  expect(lines.at(-1)).toBe("ERROR: only one file can be sent as raw");
  expect(sent).toEqual([]);
});

test("a format that cannot be made fails with the ones that can", async () => {
  const spec = { ...archive, artifact_format: "tarzstd", paths: ["f"] };
  const { outcome } = await upload({ files: { f: "" }, artifacts: [spec] });
  expect(outcome).toMatchObject({ message: expect.stringContaining("zip, gzip and raw can") });
});

test("a full or missing scratch fails the upload with the reason", async () => {
  const root = await scratch();
  writeFileSync(join(root, "file"), "");
  const { outcome } = await upload({
    files: { f: "f" },
    artifacts: [{ ...archive, paths: ["f"] }],
    change: { tempDir: join(root, "file/below") },
  });
  expect(outcome).toEqual({ kind: "failed", message: "ENOTDIR: not a directory" });
});

test("an abort ends the uploads", async () => {
  const { outcome, sent } = await upload({
    files: { f: "f" },
    artifacts: [{ ...archive, paths: ["f"] }],
    change: { signal: AbortSignal.abort() },
  });
  expect(outcome).toEqual({ kind: "failed", message: "the upload was interrupted" });
  expect(sent).toEqual([]);
});

test("a statement of provenance is added when asked for, with names of variables but no values", async () => {
  const { sent, lines } = await upload({
    files: { "out/a": "content" },
    artifacts: [{ ...archive, name: "pkg", paths: ["out"] }],
    job: {
      job_info: { name: "build" },
      git_info: { repo_url: "https://gitlab-ci-token:s3cret@gitlab.test/g/p.git", sha: "abc123" },
      variables: [{ key: "DEPLOY_KEY", value: "s3cret", masked: true }],
    },
    variables: {
      RUNNER_GENERATE_ARTIFACTS_METADATA: "true",
      CI_RUNNER_ID: "7",
      CI_RUNNER_VERSION: "0.1.0",
      CI_JOB_STARTED_AT: "2026-01-02T03:00:00Z",
    },
    change: { executor: "process" },
  });
  const members = await membersOf(sent[0]?.bodies[0]);
  expect([...members.keys()]).toEqual(["out/", "out/a", "pkg-metadata.json"]);
  const text = members.get("pkg-metadata.json")?.content.toString() ?? "";
  expect(text).not.toContain("s3cret");
  expect(JSON.parse(text)).toMatchObject({
    _type: "https://in-toto.io/Statement/v0.1",
    predicateType: "https://slsa.dev/provenance/v1",
    subject: [
      { name: "out/a", digest: { sha256: createHash("sha256").update("content").digest("hex") } },
    ],
    predicate: {
      buildDefinition: {
        externalParameters: {
          DEPLOY_KEY: "",
          entryPoint: "build",
          source: "https://gitlab.test/g/p",
        },
        internalParameters: { executor: "process", job: "42" },
        resolvedDependencies: [{ uri: "https://gitlab.test/g/p", digest: { gitCommit: "abc123" } }],
      },
      runDetails: {
        builder: { id: "https://gitlab.test/g/p/-/runners/7" },
        metadata: { startedOn: "2026-01-02T03:00:00Z", finishedOn: "2026-01-02T03:04:05.000Z" },
      },
    },
  });
  expect(lines).toContain("Generating artifacts statement");
});

test("without a project directory there is nothing to upload", async () => {
  const gone = join(await scratch(), "gone");
  rmSync(gone, { recursive: true, force: true });
  const artifacts = [{ ...archive, paths: ["f"] }];
  const { outcome } = await upload({ artifacts, change: { projectDir: gone } });
  expect(outcome).toEqual({ kind: "ok" });
});

test("a full disk is named by the folder that has no room", async () => {
  const { outcome } = await upload({
    files: { a: "text" },
    artifacts: [{ ...archive, paths: ["a"] }],
    answer: () => {
      throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
    },
  });
  expect(outcome).toEqual({
    kind: "failed",
    message: expect.stringMatching(
      /^ENOSPC: no space left on device: the disk of \/.*\/scratch is full, /,
    ) as string,
  });
});
