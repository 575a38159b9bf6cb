// AWS's way to throttle: a bucket of tokens that fills at a fixed rate.

import { EcsRefusal } from "./refusal.ts";

export interface Bucket {
  readonly capacity: number;
  readonly perSecond: number;
}

export interface Buckets {
  /** Throws ThrottlingException where the bucket is empty. */
  take(name: string): void;
  /** How often it has been found empty. */
  throttles(name: string): number;
}

export function createBuckets(
  limits: Readonly<Record<string, Bucket>>,
  now: () => number,
): Buckets {
  const levels = new Map<string, { level: number; at: number }>();
  const throttled = new Map<string, number>();
  return {
    take(name) {
      const limit = limits[name];
      if (limit === undefined) return;
      const before = levels.get(name) ?? { level: limit.capacity, at: now() };
      const gained = ((now() - before.at) / 1000) * limit.perSecond;
      const level = Math.min(limit.capacity, before.level + gained);
      if (level < 1) {
        levels.set(name, { level, at: now() });
        throttled.set(name, (throttled.get(name) ?? 0) + 1);
        throw new EcsRefusal("ThrottlingException", "Rate exceeded");
      }
      levels.set(name, { level: level - 1, at: now() });
    },
    throttles: (name) => throttled.get(name) ?? 0,
  };
}
