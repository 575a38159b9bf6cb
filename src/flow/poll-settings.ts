// The settings as the poller knows them: read again as often as somebody is about to ask for jobs, since a change acts
// on the next job.

import type { EventLog } from "./event-log.ts";
import type { LoadedRunner, LoadedRunners } from "./runners.ts";

export interface PollSettings {
  current(): LoadedRunners;
  /** Runners that may ask for jobs. */
  active(): readonly LoadedRunner[];
  /** Reads them where that is due; resolves to whether it was. `isAsking`: a runner is about to ask. */
  refresh(isAsking: boolean): Promise<boolean>;
  /** When they are read again, even if nobody asks. */
  dueAt(): number;
  /** Each mistake once, for as long as it is there. */
  sayMistakes(): void;
}

const askingMilliseconds = 1000;
/** Also while no runner asks: there may be a new one. */
const idleMilliseconds = 10_000;

export function pollSettings(
  deps: {
    readonly loadRunners: () => Promise<LoadedRunners>;
    readonly logger: EventLog;
    readonly now: () => number;
  },
  first: LoadedRunners,
): PollSettings {
  const { now, logger } = deps;
  let loaded = first;
  let readAt = now();
  let said = new Set<string>();
  return {
    current: () => loaded,
    active: () =>
      loaded.environment.paused ? [] : loaded.runners.filter(({ settings }) => !settings.paused),
    async refresh(isAsking) {
      if (now() - readAt < (isAsking ? askingMilliseconds : idleMilliseconds)) return false;
      readAt = now();
      loaded = await deps.loadRunners();
      return true;
    },
    dueAt: () => readAt + idleMilliseconds,
    sayMistakes() {
      for (const mistake of loaded.mistakes) if (!said.has(mistake)) logger.error(mistake);
      said = new Set(loaded.mistakes);
    },
  };
}
