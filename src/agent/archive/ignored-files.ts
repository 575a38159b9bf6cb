// Says which files an archive leaves out, and why: the first ones by name, the rest by number.

import type { JobLog } from "../../core/job-log.ts";

export interface IgnoredFiles {
  add(name: string, why: string): void;
  /** Says how many more there were. */
  finish(): void;
}

const namedAtMost = 20;

export function ignoredFiles(log: JobLog): IgnoredFiles {
  let count = 0;
  return {
    add(name, why) {
      count++;
      if (count <= namedAtMost) log.warning(`File ignored: ${name}: ${why}`);
    },
    finish() {
      if (count > namedAtMost) log.warning(`File ignored: ${count - namedAtMost} more`);
    },
  };
}
