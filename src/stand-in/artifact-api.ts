// `POST` and `GET /jobs/:id/artifacts`: one archive and one report of each kind per job; downloads
// come from here or, when asked for, from the storage on another port.

import { createReadStream } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { artifactFormats, parseExpiry } from "./artifact-types.ts";
import type { Dotenv } from "./dotenv.ts";
import { dotenvSizeLimit, parseDotenv } from "./dotenv.ts";
import type { Exchange, Params } from "./http/exchange.ts";
import type { Reply } from "./http/reply.ts";
import { bare, invalid, json, refuse } from "./http/reply.ts";
import { executingJob, tokenOf } from "./job-access.ts";
import type { Artifact, Job } from "./model.ts";
import { executing } from "./model.ts";
import type { Storage } from "./storage.ts";
import type { UploadedFile } from "./upload.ts";
import { receiveUpload } from "./upload.ts";
import type { World } from "./world.ts";

const defaultExpiry = "30 days";

export async function uploadArtifact(world: World, exchange: Exchange): Promise<Reply> {
  const query = Object.fromEntries(exchange.query);
  // The body is not read before the token is known, so that can only be in the query or the header.
  const access = executingJob(world, exchange, query);
  if (access.kind === "refused") return access.reply;
  const upload = await receiveUpload(
    exchange,
    world.artifactsDirectory(),
    world.options.artifactLimitBytes,
  );
  if (upload.kind === "refused") return upload.reply;
  const kept = await keep(world, exchange, access.job, upload.file, { ...query, ...upload.fields });
  if (kept.kind === "refused") await rm(upload.file.path, { force: true });
  return kept.reply;
}

interface Kept {
  /** Refused: the file is not wanted, whatever the reply says of it. */
  readonly kind: "kept" | "refused";
  readonly reply: Reply;
}

function refused(reply: Reply): Kept {
  return { kind: "refused", reply };
}

async function keep(
  world: World,
  exchange: Exchange,
  job: Job,
  file: UploadedFile,
  params: Params,
): Promise<Kept> {
  const type = textOf(params["artifact_type"], "archive");
  const format = textOf(params["artifact_format"], "zip");
  const formats = Object.values(artifactFormats);
  const wanted = artifactFormats[type];
  if (wanted === undefined) {
    return refused(invalid(400, "artifact_type does not have a valid value"));
  }
  if (!formats.some((known) => known === format)) {
    return refused(invalid(400, "artifact_format does not have a valid value"));
  }
  if (file.size > world.options.artifactLimitBytes) return refused(refuse(413));

  const existing = job.artifacts.get(type);
  if (existing?.sha256 === file.sha256) return refused(bare(201, "201"));
  if (existing !== undefined) {
    return refused(badRequest("another artifact of the same type already exists"));
  }
  if (wanted !== format) {
    return refused(badRequest("Invalid file format with specified file type"));
  }
  const expiry = parseExpiry(textOf(params["expire_in"], defaultExpiry));
  if (expiry.kind === "unreadable") return refused(badRequest("expire_in is not a duration"));
  const dotenv = type === "dotenv" ? await dotenvOf(file) : undefined;
  if (dotenv?.kind === "invalid") return refused(badRequest(dotenv.message));
  // The job may have ended while the body was on its way.
  const still = executingJob(world, exchange, params);
  if (still.kind === "refused") return refused(still.reply);
  for (const [key, value] of dotenv?.variables ?? []) job.dotenv.set(key, value);

  const artifact: Artifact = {
    type,
    format,
    filename: file.filename,
    size: file.size,
    sha256: file.sha256,
    file: file.path,
    createdAt: world.now(),
    expireAt: expiry.kind === "never" ? undefined : world.now() + expiry.seconds * 1000,
  };
  job.artifacts.set(type, artifact);
  world.emit({ kind: "artifact", job, artifact });
  return { kind: "kept", reply: bare(201, "201") };
}

function textOf(value: unknown, otherwise: string): string {
  return typeof value === "string" && value !== "" ? value : otherwise;
}

function badRequest(message: string): Reply {
  return json(400, { message });
}

async function dotenvOf(file: UploadedFile): Promise<Dotenv> {
  if (file.size >= dotenvSizeLimit) {
    const message = `Dotenv Artifact Too Big. Maximum Allowable Size: ${String(dotenvSizeLimit)}`;
    return { kind: "invalid", message };
  }
  try {
    const unpacked = gunzipSync(await readFile(file.path), { maxOutputLength: 10 * 1024 * 1024 });
    return parseDotenv(unpacked.toString("utf8"));
  } catch {
    return { kind: "invalid", message: "Invalid Format" };
  }
}

export function downloadArtifact(world: World, storage: Storage, exchange: Exchange): Reply {
  const query = Object.fromEntries(exchange.query);
  const job = world.jobs.get(Number(exchange.captured["id"]));
  const asking = world.jobByToken(tokenOf(exchange, query));
  if (asking === undefined) return refuse(401);
  if (!executing(asking.status)) return refuse(asking === job ? 403 : 401);
  if (job === undefined || job.pipeline.project !== asking.pipeline.project) return refuse(403);
  const archive = job.artifacts.get("archive");
  if (archive === undefined || (archive.expireAt ?? Infinity) <= world.now()) return refuse(404);
  if (query["direct_download"] === "true") {
    return { status: 302, headers: { location: storage.urlOf(archive) } };
  }
  return artifactReply(archive);
}

export function artifactReply(artifact: Artifact): Reply {
  return {
    status: 200,
    headers: {
      "content-type": "application/octet-stream",
      "content-length": artifact.size,
      "content-disposition": attachment(artifact.filename),
    },
    body: createReadStream(artifact.file),
  };
}

/** Headers are Latin-1; a name that needs more is sent a second time, encoded. */
function attachment(filename: string): string {
  const plain = filename.replaceAll(/[^\x20-\x7e]/g, "_");
  return `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(filename)}`;
}
