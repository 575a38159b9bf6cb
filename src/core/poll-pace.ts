// How fast claims are handed to the launcher: a little below what ECS starts in an account, 20 tasks a second for long and 100
// at once, for what is refused there is only tried again later.

export interface Pace {
  readonly left: number;
  readonly atMs: number;
}

const most = 90;
const perSecond = 19;

export function fullPace(nowMs: number): Pace {
  return { left: most, atMs: nowMs };
}

export function paceAt({ left, atMs }: Pace, nowMs: number): Pace {
  const passed = Math.max(0, nowMs - atMs);
  return { left: Math.min(most, left + (passed / 1000) * perSecond), atMs: nowMs };
}

/** How many of `wanted` may go now, and what is left then. */
export function takePace(
  pace: Pace,
  wanted: number,
  nowMs: number,
): { readonly granted: number; readonly pace: Pace } {
  const now = paceAt(pace, nowMs);
  const granted = Math.min(wanted, Math.floor(now.left));
  return { granted, pace: { ...now, left: now.left - granted } };
}
