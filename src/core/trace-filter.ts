// All that happens to what one stream prints on its way into the trace: made valid UTF-8, secrets, URL
// parameters and tokens masked, lines stamped.

import { type ByteFilter, chainFilters } from "./byte-filter.ts";
import { createPhraseMask } from "./mask.ts";
import { createTimestamps } from "./timestamps.ts";
import { createTokenPrefixMask } from "./token-prefixes.ts";
import { createUrlParamMask } from "./url-params.ts";
import { createUtf8Repair } from "./utf8.ts";

export interface TraceFilterOptions {
  /** Values that nobody may read in the trace, as the job sees them. */
  readonly secrets: readonly string[];
  readonly tokenPrefixes: readonly string[];
  readonly timestamps: boolean;
  /** Two hexadecimal digits (00 the runner's lines, 01 scripts, 0f and up services), then `O` or `E`. */
  readonly stream: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function createTraceFilter(options: TraceFilterOptions): ByteFilter {
  const masks = [
    createUtf8Repair(),
    createPhraseMask(options.secrets),
    createUrlParamMask(),
    createTokenPrefixMask(options.tokenPrefixes),
  ];
  const filter = chainFilters(
    options.timestamps ? [...masks, createTimestamps(options.stream, options.now)] : masks,
  );
  return {
    // A plain view: the filters' loops are fast as long as they meet one kind of array only.
    write: (chunk) =>
      filter.write(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)),
    close: () => filter.close(),
  };
}
