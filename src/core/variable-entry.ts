// One variable as somebody set it: the payload, the runner's settings, or the runner itself.

export interface VariableEntry {
  readonly key: string;
  readonly value: string;
  /** The value is the content of a file; scripts get the file's path. */
  readonly file?: boolean;
  /** Taken as it is: nothing in it is expanded. */
  readonly raw?: boolean;
  readonly masked?: boolean;
}
