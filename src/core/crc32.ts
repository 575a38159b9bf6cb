// CRC-32 (IEEE), the checksum of a trace. For where the platform brings none of its own.

const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** `previous`: the checksum of the bytes before these. */
export function crc32(bytes: Uint8Array, previous: number = 0): number {
  let value = ~previous;
  for (let at = 0; at < bytes.length; at++) {
    value = table[(value ^ bytes[at]!) & 0xff]! ^ (value >>> 8);
  }
  return ~value >>> 0;
}
