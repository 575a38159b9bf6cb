// One part of a URL as plain text.

/** Percent-decoded; as it stands where the escapes are not UTF-8. */
export function decodeUrlPart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
