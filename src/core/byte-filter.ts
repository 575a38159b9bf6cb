// A link in the trace's chain of filters: bytes in, bytes out, with state of its own in between.
// However a stream is cut into writes, what comes out is the same.

export interface ByteFilter {
  /** What is certain so far. May be a view of `chunk`: copy what has to outlive the chunk. */
  write(chunk: Uint8Array): Uint8Array;
  /** What was held back. Whatever is written afterwards begins a new stream. */
  close(): Uint8Array;
}

export const noBytes: Uint8Array = new Uint8Array(0);

export const maskText = "[MASKED]";
export const maskBytes: Uint8Array = new TextEncoder().encode(maskText);

export function concatBytes(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  if (second.length === 0) return first;
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}

/** Several filters as one: each takes what the one before lets out. */
export function chainFilters(filters: readonly ByteFilter[]): ByteFilter {
  return {
    write(chunk) {
      let bytes = chunk;
      for (const filter of filters) bytes = filter.write(bytes);
      return bytes;
    },
    close() {
      let rest = noBytes;
      for (const filter of filters) rest = concatBytes(filter.write(rest), filter.close());
      return rest;
    },
  };
}
