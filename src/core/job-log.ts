// What a job's stages write to. Implemented by the agent's trace; a port, so that stages stay testable.

export interface JobLog {
  /** A plain line of the runner's own. */
  line(text: string): void;
  /** Bold green: what is going on. */
  info(text: string): void;
  /** Yellow, after `WARNING: `. */
  warning(text: string): void;
  /** Bold red, after `ERROR: `. */
  error(text: string): void;
  /** Output of a helper command (git, an archive), as it comes. */
  output(bytes: Uint8Array): void;
}
