// A zip file under construction in a file of ours: where its end is, and what is in it.

import type { FileHandle } from "node:fs/promises";
import { zipRecords } from "./zip-records.ts";
import type { ZipMember } from "./zip-records.ts";

export interface MemberEnd {
  readonly size: number;
  readonly crc: number;
}

/** Room for what deflate adds to what cannot be compressed. */
const near4GiB = 0xffff_ffff - 0xff_ffff;

export class ZipFile {
  readonly #output: FileHandle;
  readonly #records = zipRecords();
  readonly #central: Uint8Array[] = [];
  #length = 0;

  constructor(output: FileHandle) {
    this.#output = output;
  }

  async append(bytes: Uint8Array): Promise<void> {
    await this.#output.appendFile(bytes);
    this.#length += bytes.length;
  }

  /** Members with their headers, as one run of bytes. */
  async appendMembers(
    bytes: Uint8Array,
    members: readonly { readonly member: ZipMember; readonly offset: number }[],
  ): Promise<void> {
    for (const { member, offset } of members) {
      this.#central.push(this.#records.central(member, this.#length + offset));
    }
    await this.append(bytes);
  }

  /**
   * A member whose data follows by `append`. The result, called when all of it is there, puts the true numbers into
   * the header. `draft.size` may be too large, never too small.
   */
  async begin(draft: ZipMember): Promise<(end: MemberEnd) => Promise<void>> {
    const offset = this.#length;
    const is64 = draft.size >= near4GiB;
    await this.append(this.#records.local(draft, is64));
    const start = this.#length;
    return async (end) => {
      const member = { ...draft, ...end, compressedSize: this.#length - start };
      this.#central.push(this.#records.central(member, offset));
      const header = this.#records.local(member, is64);
      await this.#output.write(header, 0, header.length, offset);
    };
  }

  /** Writes the directory; the zip's size in bytes. */
  async finish(): Promise<number> {
    const start = this.#length;
    for (let i = 0; i < this.#central.length; i += 4096) {
      await this.append(Buffer.concat(this.#central.slice(i, i + 4096)));
    }
    await this.append(this.#records.end(this.#central.length, start, this.#length - start));
    return this.#length;
  }
}
