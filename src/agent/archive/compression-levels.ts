// What GitLab's names for levels of compression come to: the numbers are GitLab Runner's own.

import type { CompressionLevel } from "../../core/artifacts.ts";

/** Of deflate. */
export const deflateLevels: Readonly<Record<CompressionLevel, number>> = {
  fastest: 0,
  fast: 1,
  default: 5,
  slow: 7,
  slowest: 9,
};

/** Of zstd. */
export const zstdLevels: Readonly<Record<CompressionLevel, number>> = {
  fastest: 1,
  fast: 1,
  default: 3,
  slow: 7,
  slowest: 11,
};
