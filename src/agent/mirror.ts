// The agent's own stdout, where the masked log is shown to whoever watches. Nobody may be there any more, or
// not keep up: the job goes on all the same, and GitLab gets every byte.

export interface Mirrored {
  readonly writableLength: number;
  write(bytes: Uint8Array): boolean;
  on(event: "error", listener: () => void): unknown;
}

/** More than this waiting to be read is not kept: memory is for the job. */
const longestQueueBytes = 8 * 1024 * 1024;

export function mirrorTo(stdout: Mirrored): (bytes: Uint8Array) => void {
  let gone = false;
  stdout.on("error", () => {
    gone = true;
  });
  return (bytes) => {
    if (!gone && stdout.writableLength < longestQueueBytes) stdout.write(bytes);
  };
}
