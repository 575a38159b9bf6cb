// Tar files as an attacker, or another program, would make them: headers are written here byte by byte.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface MadeMember {
  readonly name: string;
  readonly content?: string | Uint8Array;
  /** ustar's type; by its name a file or a folder. */
  readonly type?: string;
  readonly target?: string;
  readonly mode?: number;
  /** What the header says; the content stays as it is. */
  readonly size?: number | Uint8Array;
  readonly prefix?: string;
  readonly badSum?: boolean;
}

/** `pax({ path: "x" })`: a member that renames the one behind it. */
export function pax(records: Readonly<Record<string, string>>): MadeMember {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    let length = Buffer.byteLength(rest) + 1;
    while (String(length).length + Buffer.byteLength(rest) !== length) length++;
    return `${length}${rest}`;
  });
  return { name: "pax", type: "x", content: lines.join("") };
}

export function tarBytes(members: readonly MadeMember[], end = Buffer.alloc(1024)): Buffer {
  return Buffer.concat([...members.flatMap(memberBytes), end]);
}

export async function makeTar(root: string, members: readonly MadeMember[]): Promise<string> {
  const file = join(root, "made.tar");
  await writeFile(file, tarBytes(members));
  return file;
}

function memberBytes(member: MadeMember): Buffer[] {
  const content = Buffer.from(member.content ?? "");
  const header = Buffer.alloc(512);
  header.write(member.name, 0, 100);
  header.write((member.mode ?? 0o644).toString(8).padStart(7, "0"), 100);
  const { size = content.length } = member;
  if (typeof size === "number") header.write(size.toString(8).padStart(11, "0"), 124);
  else header.set(size, 124);
  header.write((1_700_000_000).toString(8).padStart(11, "0"), 136);
  header.write("        ", 148);
  header.write(member.type ?? (member.name.endsWith("/") ? "5" : "0"), 156, "latin1");
  header.write(member.target ?? "", 157, 100);
  header.write("ustar\u000000", 257, "latin1");
  header.write(member.prefix ?? "", 345);
  const sum = header.reduce((total, byte) => total + byte, member.badSum === true ? 1 : 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
}
