// What was made is removed, the last thing first; what cannot be removed keeps none of the others, and is told.

export interface Undo {
  readonly add: (what: string, action: () => Promise<unknown>) => void;
  /** What is still there. */
  readonly all: () => Promise<readonly string[]>;
}

export function createUndo(): Undo {
  const actions: { readonly what: string; readonly action: () => Promise<unknown> }[] = [];
  return {
    add: (what, action) => void actions.push({ what, action }),
    all: async () => {
      const left: string[] = [];
      for (let next = actions.pop(); next !== undefined; next = actions.pop()) {
        try {
          await next.action();
        } catch (cause) {
          left.push(`${next.what} (${cause instanceof Error ? cause.message : String(cause)})`);
        }
      }
      return left;
    },
  };
}
