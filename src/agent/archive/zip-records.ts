// The records of a zip file as bytes: local header, central directory, end, with zip64 where numbers ask for it.
// Names are UTF-8 (flag 0x800), modes are Unix's, times are in UTC and exact to the second by the UT field.
// The function closes over nothing: its text also runs in worker threads (see crew.ts).
// oxlint-disable unicorn/consistent-function-scoping -- nothing outside the function exists in a worker

export interface ZipMember {
  /** With slashes; ends in one for a directory. */
  readonly name: string;
  /** Unix st_mode, type bits included. */
  readonly mode: number;
  readonly mtimeSeconds: number;
  readonly method: 0 | 8;
  readonly crc: number;
  readonly size: number;
  readonly compressedSize: number;
}

export interface ZipRecords {
  /** `large`: keep room for 64-bit sizes, for members whose compressed size is not known yet. */
  local(member: ZipMember, large: boolean): Uint8Array;
  central(member: ZipMember, offset: number): Uint8Array;
  end(count: number, centralOffset: number, centralSize: number): Uint8Array;
}

export function zipRecords(): ZipRecords {
  const max32 = 0xffff_ffff;
  const max16 = 0xffff;
  const timeFieldBytes = 9;
  const low = (value: number): number => Math.min(value, max32);

  /** DOS date and time as one 32-bit number. */
  function dosTime(seconds: number): number {
    const date = new Date(Math.max(seconds, 315_532_800) * 1000);
    const year = Math.min(date.getUTCFullYear(), 2107) - 1980;
    const day = (year << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate();
    const clock =
      (date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | (date.getUTCSeconds() >> 1);
    return day * 0x1_0000 + clock;
  }

  /** Both extra fields; the zip64 one only when there are values for it. */
  function writeExtra(
    into: Buffer,
    at: number,
    seconds: number,
    values64: readonly number[],
  ): void {
    into.writeUInt16LE(0x5455, at);
    into.writeUInt16LE(5, at + 2);
    into.writeUInt8(1, at + 4);
    into.writeInt32LE(Math.max(-0x8000_0000, Math.min(seconds, 0x7fff_ffff)), at + 5);
    if (values64.length === 0) return;
    into.writeUInt16LE(1, at + timeFieldBytes);
    into.writeUInt16LE(values64.length * 8, at + timeFieldBytes + 2);
    for (const [i, value] of values64.entries()) {
      into.writeBigUInt64LE(BigInt(value), at + timeFieldBytes + 4 + i * 8);
    }
  }

  /** The 26 bytes that local header and central record share, from "version needed" on. */
  function writeShared(
    into: Buffer,
    at: number,
    member: ZipMember,
    zip64: boolean,
    nameBytes: number,
    extraBytes: number,
  ): void {
    into.writeUInt16LE(zip64 ? 45 : 20, at);
    into.writeUInt16LE(0x0800, at + 2);
    into.writeUInt16LE(member.method, at + 4);
    into.writeUInt32LE(dosTime(member.mtimeSeconds), at + 6);
    into.writeUInt32LE(member.crc, at + 10);
    into.writeUInt32LE(low(member.compressedSize), at + 14);
    into.writeUInt32LE(low(member.size), at + 18);
    into.writeUInt16LE(nameBytes, at + 22);
    into.writeUInt16LE(extraBytes, at + 24);
  }

  function local(member: ZipMember, large: boolean): Uint8Array {
    const nameBytes = Buffer.byteLength(member.name);
    const extraBytes = timeFieldBytes + (large ? 20 : 0);
    const header = Buffer.allocUnsafe(30 + nameBytes + extraBytes);
    header.writeUInt32LE(0x0403_4b50, 0);
    writeShared(header, 4, member, large, nameBytes, extraBytes);
    if (large) header.fill(0xff, 18, 26);
    header.write(member.name, 30);
    const values64 = large ? [member.size, member.compressedSize] : [];
    writeExtra(header, 30 + nameBytes, member.mtimeSeconds, values64);
    return header;
  }

  function central(member: ZipMember, offset: number): Uint8Array {
    const is64 = (value: number): boolean => value >= max32;
    const values64 = [member.size, member.compressedSize, offset].filter(is64);
    const nameBytes = Buffer.byteLength(member.name);
    const extraBytes = timeFieldBytes + (values64.length === 0 ? 0 : 4 + values64.length * 8);
    const record = Buffer.allocUnsafe(46 + nameBytes + extraBytes).fill(0, 0, 46);
    record.writeUInt32LE(0x0201_4b50, 0);
    record.writeUInt16LE((3 << 8) | 45, 4);
    writeShared(record, 6, member, values64.length > 0, nameBytes, extraBytes);
    const dosDirectory = member.name.endsWith("/") ? 0x10 : 0;
    record.writeUInt32LE((member.mode & max16) * 0x1_0000 + dosDirectory, 38);
    record.writeUInt32LE(low(offset), 42);
    record.write(member.name, 46);
    writeExtra(record, 46 + nameBytes, member.mtimeSeconds, values64);
    return record;
  }

  function end(count: number, centralOffset: number, centralSize: number): Uint8Array {
    const tail = Buffer.alloc(22);
    tail.writeUInt32LE(0x0605_4b50, 0);
    tail.writeUInt16LE(Math.min(count, max16), 8);
    tail.writeUInt16LE(Math.min(count, max16), 10);
    tail.writeUInt32LE(low(centralSize), 12);
    tail.writeUInt32LE(low(centralOffset), 16);
    if (count < max16 && centralSize < max32 && centralOffset < max32) return tail;
    const record = Buffer.alloc(56);
    record.writeUInt32LE(0x0606_4b50, 0);
    record.writeBigUInt64LE(44n, 4);
    record.writeUInt16LE((3 << 8) | 45, 12);
    record.writeUInt16LE(45, 14);
    record.writeBigUInt64LE(BigInt(count), 24);
    record.writeBigUInt64LE(BigInt(count), 32);
    record.writeBigUInt64LE(BigInt(centralSize), 40);
    record.writeBigUInt64LE(BigInt(centralOffset), 48);
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x0706_4b50, 0);
    locator.writeBigUInt64LE(BigInt(centralOffset + centralSize), 8);
    locator.writeUInt32LE(1, 16);
    return Buffer.concat([record, locator, tail]);
  }

  return { local, central, end };
}
