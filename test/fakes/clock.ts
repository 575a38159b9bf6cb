// Time for the fakes: it can be moved by hand, and then everything that was due happens, in its order. Of itself it
// either goes on as the machine's does, or stands still.

export interface Clock {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Runs the action when the time has come; gives what takes it back. */
  after(milliseconds: number, action: () => void): () => void;
  /** Moves it, one due action after the other; what those await has happened when it resolves. */
  advance(milliseconds: number): Promise<void>;
  /** When the next action is due; undefined: there is none. */
  next(): number | undefined;
  close(): void;
}

interface Due {
  readonly at: number;
  readonly order: number;
  readonly action: () => void;
  timer?: NodeJS.Timeout;
}

export interface ClockOptions {
  /** Stands still between moves. @default false */
  readonly still?: boolean;
  /** @default the machine's time */
  readonly start?: number;
}

export function createClock(options: ClockOptions = {}): Clock {
  const still = options.still ?? false;
  const due = new Set<Due>();
  let order = 0;
  let offset = (options.start ?? Date.now()) - (still ? 0 : Date.now());
  const now = () => (still ? offset : Date.now() + offset);

  const run = (entry: Due) => {
    clearTimeout(entry.timer);
    if (due.delete(entry)) entry.action();
  };
  const schedule = (entry: Due) => {
    if (still) return;
    entry.timer = setTimeout(() => run(entry), Math.max(0, entry.at - now()));
  };
  const first = () => {
    let found: Due | undefined;
    for (const entry of due) {
      if (found === undefined || entry.at < found.at) found = entry;
    }
    return found;
  };
  return {
    now,
    after(milliseconds, action) {
      const entry: Due = { at: now() + Math.max(0, milliseconds), order: order++, action };
      due.add(entry);
      schedule(entry);
      return () => {
        clearTimeout(entry.timer);
        due.delete(entry);
      };
    },
    async advance(milliseconds) {
      const until = now() + milliseconds;
      for (let entry = first(); entry !== undefined && entry.at <= until; entry = first()) {
        offset += Math.max(0, entry.at - now());
        run(entry);
        await settled();
      }
      offset += Math.max(0, until - now());
      for (const entry of due) {
        clearTimeout(entry.timer);
        schedule(entry);
      }
      await settled();
    },
    next: () => first()?.at,
    close() {
      for (const entry of due) clearTimeout(entry.timer);
      due.clear();
    },
  };
}

/** Whatever follows from an action without waiting for time or network. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
