// Takes the one `file` of a multipart body to disk, hashing and measuring it on its way, and the
// form's other fields into memory. What is refused leaves nothing behind.

import { createHash, randomUUID } from "node:crypto";
import { open, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Exchange } from "./http/exchange.ts";
import type { PartHeader, PartSink } from "./http/multipart.ts";
import { multipartBoundary, readMultipart } from "./http/multipart.ts";
import type { Reply } from "./http/reply.ts";
import { invalid, refuse } from "./http/reply.ts";

export interface UploadedFile {
  readonly path: string;
  readonly filename: string;
  readonly size: number;
  readonly sha256: string;
}

export type Upload =
  | {
      readonly kind: "uploaded";
      readonly file: UploadedFile;
      readonly fields: Readonly<Record<string, string>>;
    }
  | { readonly kind: "refused"; readonly reply: Reply };

const fieldLimitBytes = 64 * 1024;

export async function receiveUpload(
  exchange: Exchange,
  directory: string,
  limitBytes: number,
): Promise<Upload> {
  const boundary = multipartBoundary(exchange.headers["content-type"]);
  if (boundary === undefined) return refused(invalid(400, "file is invalid"));
  const receiver = new Receiver(directory, limitBytes);
  try {
    const outcome = await readMultipart(exchange.input, boundary, (header) =>
      receiver.open(header),
    );
    if (receiver.tooLarge) {
      return refused(
        refuse(413, "file size has reached maximum size limit", { connection: "close" }),
      );
    }
    if (outcome.kind === "malformed") {
      return refused(invalid(400, `file is invalid: ${outcome.message}`));
    }
    const file = receiver.take();
    if (file === undefined) return refused(invalid(400, "file is missing"));
    return { kind: "uploaded", file, fields: receiver.fields };
  } finally {
    await receiver.close();
  }
}

function refused(reply: Reply): Upload {
  return { kind: "refused", reply };
}

class Receiver {
  readonly fields: Record<string, string> = {};
  tooLarge = false;
  readonly #directory: string;
  readonly #limitBytes: number;
  #handle: FileHandle | undefined;
  #path: string | undefined;
  #file: UploadedFile | undefined;

  constructor(directory: string, limitBytes: number) {
    this.#directory = directory;
    this.#limitBytes = limitBytes;
  }

  async open(header: PartHeader): Promise<PartSink> {
    const isFile = header.name === "file" && header.filename !== undefined;
    if (isFile && this.#path === undefined) return this.#openFile(header.filename);
    return this.#openField(header.name);
  }

  /** The finished file, which from now on belongs to the caller. */
  take(): UploadedFile | undefined {
    if (this.#file !== undefined) this.#path = undefined;
    return this.#file;
  }

  async close() {
    await this.#handle?.close();
    if (this.#path !== undefined) await rm(this.#path, { force: true });
  }

  async #openFile(filename = ""): Promise<PartSink> {
    const path = join(this.#directory, randomUUID());
    const handle = await open(path, "wx");
    this.#path = path;
    this.#handle = handle;
    const hash = createHash("sha256");
    let size = 0;
    return {
      write: async (bytes) => {
        size += bytes.length;
        this.tooLarge = size > this.#limitBytes;
        if (this.tooLarge) return false;
        hash.update(bytes);
        await handle.writeFile(bytes);
        return true;
      },
      end: async () => {
        await handle.close();
        this.#handle = undefined;
        const sha256 = hash.digest("hex");
        this.#file = { path, filename: safeName(filename), size, sha256 };
      },
    };
  }

  #openField(name: string): PartSink {
    const chunks: Buffer[] = [];
    let size = 0;
    return {
      write(bytes) {
        size += bytes.length;
        if (size <= fieldLimitBytes) chunks.push(Buffer.from(bytes));
        return true;
      },
      end: () => {
        this.fields[name] = Buffer.concat(chunks).toString("utf8");
      },
    };
  }
}

/** GitLab keeps the base name, and of that only letters, digits and `.-+_`. */
function safeName(filename: string): string {
  const name = basename(filename.replaceAll("\\", "/")).replaceAll(/[^\p{L}\p{N}.\-+_]/gu, "_");
  return name === "" || /^\.+$/.test(name) ? `_${name}` : name;
}
