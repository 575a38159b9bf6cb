// Writes tar (ustar), for what an engine is given: layers of a few files, image archives, build contexts.
// The same entries give the same bytes, so that layers and images keep their ids.

export interface TarEntry {
  /** Relative; of a folder it ends with a slash. */
  readonly path: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly content: Uint8Array | { readonly linkTo: string } | "folder";
}

const block = 512;

export function tarArchive(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(entryBytes), tarEnd()]);
}

function entryBytes(entry: TarEntry): Buffer[] {
  const { path, uid = 0, content } = entry;
  if (content === "folder") return [tarHeader({ path, uid, mode: entry.mode ?? 0o755, type: "5" })];
  if ("linkTo" in content) {
    return [tarHeader({ path, uid, mode: 0o777, type: "2", linkTo: content.linkTo })];
  }
  const sizeBytes = content.length;
  return [
    tarHeader({ path, uid, mode: entry.mode ?? 0o644, type: "0", sizeBytes }),
    Buffer.from(content),
    tarPadding(sizeBytes),
  ];
}

interface TarHeader {
  readonly path: string;
  readonly uid: number;
  readonly mode: number;
  /** File, symbolic link, folder. */
  readonly type: "0" | "2" | "5";
  readonly sizeBytes?: number;
  readonly linkTo?: string;
}

export function tarHeader(header: TarHeader): Buffer {
  const bytes = Buffer.alloc(block);
  const text = (value: string, offset: number, size: number) => {
    if (Buffer.byteLength(value) > size) throw new RangeError(`too long for tar: ${value}`);
    bytes.write(value, offset);
  };
  const octal = (value: number, offset: number, size: number) => {
    text(value.toString(8).padStart(size - 1, "0"), offset, size - 1);
  };
  text(header.path, 0, 100);
  octal(header.mode, 100, 8);
  octal(header.uid, 108, 8);
  octal(header.uid, 116, 8);
  octal(header.sizeBytes ?? 0, 124, 12);
  octal(0, 136, 12);
  text(" ".repeat(8), 148, 8);
  text(header.type, 156, 1);
  text(header.linkTo ?? "", 157, 100);
  text("ustar\x0000", 257, 8);
  let sum = 0;
  for (const byte of bytes) sum += byte;
  text(`${sum.toString(8).padStart(6, "0")}\0 `, 148, 8);
  return bytes;
}

/** What follows a file's content, up to the next block. */
export function tarPadding(sizeBytes: number): Buffer {
  return Buffer.alloc((block - (sizeBytes % block)) % block);
}

export function tarEnd(): Buffer {
  return Buffer.alloc(2 * block);
}
