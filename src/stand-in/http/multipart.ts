// A streaming reader of multipart/form-data: parts of any size go to a sink as they come, nothing
// is held but one chunk and what could be the beginning of a boundary.

import type { Readable } from "node:stream";

export interface PartHeader {
  readonly name: string;
  readonly filename: string | undefined;
  readonly contentType: string | undefined;
}

export interface PartSink {
  /** False stops the reading of the whole body. */
  write(bytes: Buffer): boolean | Promise<boolean>;
  end(): void | Promise<void>;
}

export type MultipartOutcome =
  | { readonly kind: "complete" }
  | { readonly kind: "stopped" }
  | { readonly kind: "malformed"; readonly message: string };

const maxHeaderBytes = 16 * 1024;
const maxParts = 100;

/** The boundary named by a content type, if that is multipart/form-data at all. */
export function multipartBoundary(contentType: string | undefined): string | undefined {
  const matched = /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(
    contentType ?? "",
  );
  return matched?.[1] ?? matched?.[2];
}

export async function readMultipart(
  input: Readable,
  boundary: string,
  open: (header: PartHeader) => PartSink | Promise<PartSink>,
): Promise<MultipartOutcome> {
  const reader = new MultipartReader(boundary, open);
  for await (const chunk of input.iterator({ destroyOnReturn: false })) {
    const outcome = await reader.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk)));
    if (outcome !== undefined) return outcome;
  }
  return { kind: "malformed", message: "the body ends before its last boundary" };
}

type State = "preamble" | "boundary" | "header" | "content";

class MultipartReader {
  readonly #delimiter: Buffer;
  readonly #open: (header: PartHeader) => PartSink | Promise<PartSink>;
  #state: State = "preamble";
  /** Starts with a line end, so that a boundary on the very first line looks like any other. */
  #held: Buffer = Buffer.from("\r\n");
  #sink: PartSink | undefined;
  #parts = 0;

  constructor(boundary: string, open: (header: PartHeader) => PartSink | Promise<PartSink>) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`);
    this.#open = open;
  }

  /** Takes a chunk; an outcome once there is nothing more to wait for. */
  async push(chunk: Buffer): Promise<MultipartOutcome | undefined> {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    for (;;) {
      const step = await this.#step();
      if (step === "more") return undefined;
      if (step !== "again") return step;
    }
  }

  async #step(): Promise<MultipartOutcome | "more" | "again"> {
    switch (this.#state) {
      case "preamble":
        return this.#skipPreamble();
      case "boundary":
        return this.#afterBoundary();
      case "header":
        return this.#readHeader();
      case "content":
        return this.#readContent();
    }
  }

  #skipPreamble(): "more" | "again" {
    const at = this.#held.indexOf(this.#delimiter);
    if (at === -1) {
      this.#held = this.#held.subarray(Math.max(0, this.#held.length - this.#delimiter.length));
      return "more";
    }
    this.#held = this.#held.subarray(at + this.#delimiter.length);
    this.#state = "boundary";
    return "again";
  }

  #afterBoundary(): MultipartOutcome | "more" | "again" {
    if (this.#held.length >= 2 && this.#held.toString("latin1", 0, 2) === "--") {
      return { kind: "complete" };
    }
    const lineEnd = this.#held.indexOf("\r\n");
    if (lineEnd === -1) {
      if (this.#held.length <= 256) return "more";
      return { kind: "malformed", message: "a boundary line does not end" };
    }
    if (this.#held.toString("latin1", 0, lineEnd).trim() !== "") {
      return { kind: "malformed", message: "a boundary is followed by other text" };
    }
    // The line end stays: it may be the first half of the blank line of a part without headers.
    this.#held = this.#held.subarray(lineEnd);
    this.#state = "header";
    return "again";
  }

  async #readHeader(): Promise<MultipartOutcome | "more" | "again"> {
    const end = this.#held.indexOf("\r\n\r\n");
    if (end === -1) {
      if (this.#held.length <= maxHeaderBytes) return "more";
      return { kind: "malformed", message: "the header of a part is too long" };
    }
    this.#parts += 1;
    if (this.#parts > maxParts) return { kind: "malformed", message: "too many parts" };
    const header = parsePartHeader(this.#held.toString("utf8", 0, end));
    if (header === undefined) return { kind: "malformed", message: "a part has no name" };
    this.#held = this.#held.subarray(end + 4);
    this.#sink = await this.#open(header);
    this.#state = "content";
    return "again";
  }

  async #readContent(): Promise<MultipartOutcome | "more" | "again"> {
    const at = this.#held.indexOf(this.#delimiter);
    const ready = at === -1 ? this.#held.length - this.#delimiter.length + 1 : at;
    if (ready > 0) {
      const proceed = await this.#sink?.write(this.#held.subarray(0, ready));
      if (proceed === false) return { kind: "stopped" };
    }
    if (at === -1) {
      this.#held = this.#held.subarray(Math.max(0, ready));
      return "more";
    }
    await this.#sink?.end();
    this.#sink = undefined;
    this.#held = this.#held.subarray(at + this.#delimiter.length);
    this.#state = "boundary";
    return "again";
  }
}

function parsePartHeader(text: string): PartHeader | undefined {
  let name: string | undefined;
  let filename: string | undefined;
  let contentType: string | undefined;
  for (const line of text.split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon === -1) continue;
    const key = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (key === "content-type") contentType = value;
    if (key !== "content-disposition") continue;
    name = dispositionField(value, "name");
    filename = extendedFilename(value) ?? dispositionField(value, "filename");
  }
  return name === undefined ? undefined : { name, filename, contentType };
}

function dispositionField(value: string, field: string): string | undefined {
  const matched = new RegExp(`;\\s*${field}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^;]*))`, "i").exec(value);
  const quoted = matched?.[1];
  if (quoted !== undefined) return quoted.replaceAll(/\\(["\\])/g, "$1").replaceAll("%22", '"');
  return matched?.[2]?.trim();
}

function extendedFilename(value: string): string | undefined {
  const encoded = /;\s*filename\*=utf-8''([^;\s]*)/i.exec(value)?.[1];
  if (encoded === undefined) return undefined;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}
