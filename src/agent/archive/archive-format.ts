// What an archive is, by its first bytes: GitLab does not say it.

export type ArchiveFormat = "zip" | "gzip" | "tarzstd";

export function sniffFormat(start: Uint8Array): ArchiveFormat {
  const begins = (...bytes: readonly number[]): boolean =>
    bytes.every((byte, i) => start[i] === byte);
  if (begins(0x28, 0xb5, 0x2f, 0xfd)) return "tarzstd";
  if (begins(0x1f, 0x8b)) return "gzip";
  return "zip";
}
