// Runners and their managers: one token is one runner, one `system_id` is one manager of it.

import { legacyRunnerToken, queueValue, runnerToken } from "./tokens.ts";

export interface Manager {
  readonly systemId: string;
  readonly createdAt: number;
  contactedAt: number;
  info: Readonly<Record<string, unknown>>;
  /** `info.features`; empty until the runner has told them. */
  features: Readonly<Record<string, boolean>>;
}

export interface RunnerSettings {
  readonly description: string;
  readonly tags: readonly string[];
  readonly runUntagged: boolean;
  readonly locked: boolean;
  readonly paused: boolean;
  readonly accessLevel: "not_protected" | "ref_protected";
  readonly maximumTimeout: number | undefined;
  readonly maintenanceNote: string | undefined;
  readonly type: "instance_type" | "project_type";
  readonly projectId: number | undefined;
}

export interface Runner {
  readonly id: number;
  readonly createdAt: number;
  readonly managers: Map<string, Manager>;
  settings: RunnerSettings;
  token: string;
  /** Undefined: the token lives for ever. */
  tokenExpiresAt: number | undefined;
  /** Changes whenever there may be a job for this runner. */
  queueValue: string;
}

export const plainRunner: RunnerSettings = {
  description: "",
  tags: [],
  runUntagged: true,
  locked: false,
  paused: false,
  accessLevel: "not_protected",
  maximumTimeout: undefined,
  maintenanceNote: undefined,
  type: "instance_type",
  projectId: undefined,
};

/** GitLab's name for what came without a `system_id`. */
const legacySystemId = "<legacy>";

export class Runners {
  readonly #now: () => number;
  readonly #byId = new Map<number, Runner>();
  readonly #waiting = new Set<{ readonly runner: Runner; readonly wake: () => void }>();
  #nextId = 1;

  constructor(now: () => number) {
    this.#now = now;
  }

  create(settings: Partial<RunnerSettings>, token?: string): Runner {
    const runner: Runner = {
      id: this.#nextId,
      createdAt: this.#now(),
      managers: new Map(),
      settings: { ...plainRunner, ...settings },
      token: token ?? runnerToken(),
      tokenExpiresAt: undefined,
      queueValue: queueValue(),
    };
    this.#nextId += 1;
    this.#byId.set(runner.id, runner);
    return runner;
  }

  createLegacy(settings: Partial<RunnerSettings>): Runner {
    return this.create(settings, legacyRunnerToken());
  }

  all(): Runner[] {
    return [...this.#byId.values()];
  }

  byId(id: number): Runner | undefined {
    return this.#byId.get(id);
  }

  byToken(token: string): Runner | undefined {
    return this.all().find((runner) => runner.token === token);
  }

  remove(id: number) {
    const runner = this.#byId.get(id);
    this.#byId.delete(id);
    if (runner !== undefined) this.#wake(runner);
  }

  resetToken(runner: Runner) {
    runner.token = runner.token.startsWith("glrt-") ? runnerToken() : legacyRunnerToken();
  }

  change(runner: Runner, settings: Partial<RunnerSettings>) {
    runner.settings = { ...runner.settings, ...settings };
    this.#changed(runner);
  }

  /** Notes that a manager called, and what it said of itself. */
  heartbeat(
    runner: Runner,
    systemId: string | undefined,
    info: Readonly<Record<string, unknown>> | undefined,
  ): Manager {
    const key = systemId ?? legacySystemId;
    const features = booleans(info?.["features"]);
    const known = runner.managers.get(key);
    const manager: Manager = known ?? {
      systemId: key,
      createdAt: this.#now(),
      contactedAt: this.#now(),
      info: {},
      features: {},
    };
    manager.contactedAt = this.#now();
    if (info !== undefined) manager.info = { ...manager.info, ...info };
    if (features !== undefined) manager.features = features;
    runner.managers.set(key, manager);
    return manager;
  }

  /** There may be work: held polls end, and the next request walks the queue. */
  announceWork() {
    for (const runner of this.all()) this.#changed(runner);
  }

  /** Resolves when the runner's queue value changes, the time is over, or the signal aborts. */
  waitForChange(runner: Runner, seconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const waiter = { runner, wake: done };
      const timer = setTimeout(done, seconds * 1000);
      const waiting = this.#waiting;
      function done() {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        waiting.delete(waiter);
        resolve();
      }
      waiting.add(waiter);
      signal.addEventListener("abort", done);
      if (signal.aborted) done();
    });
  }

  #changed(runner: Runner) {
    runner.queueValue = queueValue();
    this.#wake(runner);
  }

  #wake(runner: Runner) {
    for (const waiter of this.#waiting) {
      if (waiter.runner === runner) waiter.wake();
    }
  }
}

function booleans(value: unknown): Record<string, boolean> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.fromEntries(Object.entries(value).map(([key, flag]) => [key, flag === true]));
}
