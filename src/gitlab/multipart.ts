// A `multipart/form-data` body with one part `file`, streamed: its length need not be known.

import { randomBytes } from "node:crypto";

export interface FileForm {
  readonly contentType: string;
  /** Anew for every attempt; the boundary stays. */
  readonly body: () => AsyncIterable<Uint8Array>;
}

export function fileForm(filename: string, content: () => AsyncIterable<Uint8Array>): FileForm {
  const boundary = `burst-${randomBytes(24).toString("hex")}`;
  const head = Buffer.from(
    [
      `--${boundary}`,
      `Content-Disposition: form-data; name="file"; filename="${escapeQuoted(filename)}"`,
      "Content-Type: application/octet-stream",
      "",
      "",
    ].join("\r\n"),
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    async *body() {
      yield head;
      yield* content();
      yield tail;
    },
  };
}

/** A name comes from a job's payload: it must not end the header's quotes or the header. */
function escapeQuoted(filename: string): string {
  return filename
    .replace(/[\\"]/g, "\\$&")
    .replace(/\r/g, "%0D")
    .replace(/\n/g, "%0A")
    .replaceAll("\0", "%00");
}
