// The job's output as one stream, with boot's end-of-stage marks taken out. The mark tells that all
// a stage printed has arrived, though its pipe never closes. A nonce keeps others from forging it.

export interface StageOutput {
  /** Resolves when the mark of the stage with this nonce has passed. */
  expect(nonce: string): Promise<void>;
  take(chunk: Uint8Array): void;
  /** Hands on what was held back because it looked like the beginning of a mark. */
  flush(): void;
}

export function createStageOutput(onOutput: (bytes: Uint8Array) => void): StageOutput {
  let mark = Buffer.alloc(0);
  let passed: (() => void) | undefined;
  let held = Buffer.alloc(0);

  const pass = (bytes: Uint8Array) => {
    if (bytes.length > 0) onOutput(bytes);
  };

  return {
    expect(nonce) {
      mark = Buffer.from(`\0burst-end ${nonce}\0`, "latin1");
      return new Promise((resolve) => {
        passed = resolve;
      });
    },
    take(chunk) {
      if (passed === undefined) return pass(chunk);
      const bytes = held.length > 0 ? Buffer.concat([held, chunk]) : asBuffer(chunk);
      held = Buffer.alloc(0);
      const at = bytes.indexOf(mark);
      if (at >= 0) {
        pass(bytes.subarray(0, at));
        pass(bytes.subarray(at + mark.length));
        const resolve = passed;
        passed = undefined;
        resolve();
        return;
      }
      const keep = beginning(bytes, mark);
      pass(bytes.subarray(0, bytes.length - keep));
      // A copy: the chunk's memory is its reader's again after this call.
      if (keep > 0) held = Buffer.from(bytes.subarray(bytes.length - keep));
    },
    flush() {
      const bytes = held;
      held = Buffer.alloc(0);
      passed = undefined;
      pass(bytes);
    },
  };
}

/** How many bytes at the end of `bytes` are the beginning of `mark`. */
function beginning(bytes: Buffer, mark: Buffer): number {
  const tail = bytes.subarray(Math.max(0, bytes.length - mark.length + 1));
  for (let at = tail.indexOf(0); at >= 0; at = tail.indexOf(0, at + 1)) {
    if (mark.subarray(0, tail.length - at).equals(tail.subarray(at))) return tail.length - at;
  }
  return 0;
}

function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
