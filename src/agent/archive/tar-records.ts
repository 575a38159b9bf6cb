// The headers of a tar file as bytes: ustar, with a pax header before it where a name, a link's target, a size or a
// time does not fit there. No owners: whoever unpacks is the owner.
// The function closes over nothing: its text also runs in worker threads (see crew.ts).
// oxlint-disable unicorn/consistent-function-scoping -- nothing outside the function exists in a worker

export interface TarMember {
  readonly kind: "file" | "directory" | "symlink";
  /** Relative, without a slash at its end. */
  readonly name: string;
  /** Permission bits; others are left out. */
  readonly mode: number;
  readonly mtimeSeconds: number;
  /** Of a file's content. */
  readonly size: number;
  /** Of a link. */
  readonly target: Uint8Array;
}

export interface TarRecords {
  header(member: TarMember): Uint8Array;
  /** Bytes between a content's end and the next header. */
  padding(size: number): number;
  end(): Uint8Array;
}

export function tarRecords(): TarRecords {
  const block = 512;
  const types = { file: "0", directory: "5", symlink: "2" } as const;

  function padding(size: number): number {
    return (block - (size % block)) % block;
  }

  /** What fits into so many octal digits. */
  function fits(value: number, digits: number): boolean {
    return value >= 0 && value < 8 ** digits;
  }

  function plain(
    type: string,
    name: Uint8Array,
    member: { readonly mode: number; readonly mtimeSeconds: number; readonly size: number },
    target: Uint8Array,
  ): Buffer {
    const header = Buffer.alloc(block);
    const octal = (value: number, at: number, digits: number): void => {
      header.write((fits(value, digits) ? value : 0).toString(8).padStart(digits, "0"), at);
    };
    header.set(name.subarray(0, 100), 0);
    octal(member.mode & 0o777, 100, 7);
    octal(0, 108, 7);
    octal(0, 116, 7);
    octal(member.size, 124, 11);
    octal(member.mtimeSeconds, 136, 11);
    header.write("        ", 148);
    header.write(type, 156);
    header.set(target.subarray(0, 100), 157);
    header.write("ustar\u000000", 257);
    let sum = 0;
    for (const byte of header) sum += byte;
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return header;
  }

  /** `<its own length> <key>=<value>\n` */
  function paxRecord(key: string, value: Uint8Array): Buffer {
    const rest = value.length + key.length + 3;
    let length = rest + String(rest).length;
    if (String(length).length > String(rest).length) length = rest + String(length).length;
    return Buffer.concat([Buffer.from(`${length} ${key}=`), value, Buffer.from("\n")]);
  }

  function header(member: TarMember): Uint8Array {
    const name = Buffer.from(member.kind === "directory" ? `${member.name}/` : member.name);
    const size = member.kind === "file" ? member.size : 0;
    const { mode, mtimeSeconds, target } = member;
    const own = plain(types[member.kind], name, { mode, mtimeSeconds, size }, target);
    const records: Buffer[] = [];
    if (name.length > 100) records.push(paxRecord("path", name));
    if (target.length > 100) records.push(paxRecord("linkpath", target));
    if (!fits(size, 11)) records.push(paxRecord("size", Buffer.from(String(size))));
    if (!fits(mtimeSeconds, 11)) {
      records.push(paxRecord("mtime", Buffer.from(String(mtimeSeconds))));
    }
    if (records.length === 0) return own;
    const pax = Buffer.concat(records);
    const label = Buffer.from("pax");
    const about = { mode: 0o644, mtimeSeconds: 0, size: pax.length };
    const fill = Buffer.alloc(padding(pax.length));
    return Buffer.concat([plain("x", label, about, Buffer.alloc(0)), pax, fill, own]);
  }

  return { header, padding, end: () => new Uint8Array(2 * block) };
}
