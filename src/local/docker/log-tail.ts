// The last lines of what a container has printed, without the job's secrets.

import type { Container } from "dockerode";
import type { TextMask } from "../../core/job-mask.ts";

/** A secret of several lines may have begun before those that are shown. */
const context = 200;

export async function logTail(
  container: Container,
  lines: number,
  mask: TextMask,
): Promise<readonly string[]> {
  const asked = container.logs({ stdout: true, stderr: true, tail: lines + context });
  const raw = await asked.catch(() => Buffer.alloc(0));
  let text = "";
  // Eight bytes before every piece: its stream and length.
  for (let at = 0; at + 8 <= raw.length;) {
    const length = raw.readUInt32BE(at + 4);
    text += raw.toString("utf8", at + 8, at + 8 + length);
    at += 8 + length;
  }
  return mask(text)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .slice(-lines);
}
