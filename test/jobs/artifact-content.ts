// What is in the artifacts that a job has given to the stand-in.

import { readFileSync } from "node:fs";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import yauzl from "yauzl";
import type { Entry, ZipFile } from "yauzl";
import type { JobView } from "../../src/stand-in/views.ts";

/** The archive's files, path to content; folders end with a slash. */
export async function archiveOf(job: JobView): Promise<Readonly<Record<string, string>>> {
  const file = artifactOf(job, "archive").file;
  const open = promisify<string, yauzl.Options, ZipFile>(yauzl.open);
  const zip = await open(file, { lazyEntries: true });
  const read = promisify<Entry, NodeJS.ReadableStream>(zip.openReadStream.bind(zip));
  const files: Record<string, string> = {};
  return await new Promise((resolve, reject) => {
    const take = async (entry: Entry) => {
      files[entry.fileName] = (await buffer(await read(entry))).toString("utf8");
      zip.readEntry();
    };
    zip.on("entry", (entry: Entry) => void take(entry).catch(reject));
    zip.on("end", () => resolve(files));
    zip.on("error", reject);
    zip.readEntry();
  });
}

/** A report's text, unpacked where it was packed. */
export function reportOf(job: JobView, type: string): string {
  const { file, format } = artifactOf(job, type);
  const bytes = readFileSync(file);
  return (format === "gzip" ? gunzipSync(bytes) : bytes).toString("utf8");
}

export function artifactTypes(job: JobView): readonly string[] {
  return job.artifacts.map(({ type }) => type).toSorted();
}

export function artifactOf(job: JobView, type: string) {
  const found = job.artifacts.find((artifact) => artifact.type === type);
  if (found === undefined) throw new Error(`job "${job.name}" has no artifact of type ${type}`);
  return found;
}
