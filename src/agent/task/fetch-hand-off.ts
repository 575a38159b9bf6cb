// The hand-off by its address: the only thing that the agent's container on ECS is started with. The bucket may be out
// of reach for the first seconds of a network interface, so it is asked for a minute.

import { handOffSchema } from "../../core/hand-off.ts";
import type { HandOff, TaskHandOff } from "../../core/hand-off.ts";
import type { Storage } from "./storage.ts";

export interface TaskJob {
  readonly handOff: HandOff;
  readonly task: TaskHandOff;
}

/** Its message names no address that could be used, and may be shown. */
export class NoHandOff extends Error {
  override readonly name = "NoHandOff";
}

export interface FetchTools {
  readonly storage: Storage;
  /** Told to stop. */
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

const patienceMilliseconds = 60_000;
const longestPauseMilliseconds = 5000;

/** Throws NoHandOff. */
export async function fetchHandOff(url: string, tools: FetchTools): Promise<TaskJob> {
  const { storage, signal, now, sleep } = tools;
  if (!URL.canParse(url)) throw new NoHandOff("the hand-off's address is no URL");
  const until = now() + patienceMilliseconds;
  for (let pause = 250; ; pause = Math.min(pause * 2, longestPauseMilliseconds)) {
    const reply = await storage.read({ url });
    if (reply.kind === "text") return readHandOff(reply.text);
    const why = reply.kind === "missing" ? "there is no such object" : reply.message;
    if (signal.aborted || now() + pause > until) {
      throw new NoHandOff(`the hand-off could not be fetched: ${why}`);
    }
    await sleep(pause, signal);
  }
}

function readHandOff(text: string): TaskJob {
  const handOff = handOffSchema.safeParse(valueOf(text)).data;
  if (handOff === undefined) {
    throw new NoHandOff(
      "what lies at the hand-off's address is none: launcher and agent are of versions that do not fit",
    );
  }
  if (handOff.task === undefined) {
    throw new NoHandOff("the hand-off says nothing about a task on ECS");
  }
  return { handOff, task: handOff.task };
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
