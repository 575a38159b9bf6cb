// The awslogs driver: a container's lines to CloudWatch Logs, in the order they were printed.

import type { Duplex } from "node:stream";
import type { ExecutionRole, LogEvent } from "./execution-role.ts";

export interface LogDriver {
  /** Resolves when all has been delivered. */
  readonly done: Promise<void>;
}

const pauseMs = 300;
const mostEvents = 1000;
const mostCharacters = 200_000;

/** Takes what the engine sends of a container with stdout and stderr apart. */
export function driveLogs(
  output: Duplex,
  role: ExecutionRole,
  group: string,
  stream: string,
): LogDriver {
  const queue: LogEvent[] = [];
  const partial: Record<number, string> = {};
  let raw: Buffer = Buffer.alloc(0);
  let over = false;
  let wake = () => {};

  const take = (kind: number, text: string) => {
    const lines = ((partial[kind] ?? "") + text).split("\n");
    partial[kind] = lines.pop() ?? "";
    for (const message of lines) {
      if (message !== "") queue.push({ timestamp: Date.now(), message });
    }
  };
  output.on("data", (bytes: Buffer) => {
    raw = Buffer.concat([raw, bytes]);
    // Eight bytes before every piece: its stream and length.
    while (raw.length >= 8 && raw.length >= 8 + raw.readUInt32BE(4)) {
      const length = raw.readUInt32BE(4);
      take(raw[0] ?? 1, raw.toString("utf8", 8, 8 + length));
      raw = raw.subarray(8 + length);
    }
  });
  const end = () => {
    over = true;
    wake();
  };
  output.on("end", end);
  output.on("close", end);
  output.on("error", end);

  const deliver = async () => {
    for (;;) {
      const last = over;
      if (last) {
        for (const kind of [1, 2]) take(kind, partial[kind] === undefined ? "" : "\n");
      }
      while (queue.length > 0) await role.putLogEvents(group, stream, nextBatch(queue));
      if (last) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, pauseMs);
      });
    }
  };
  return { done: deliver() };
}

function nextBatch(queue: LogEvent[]): readonly LogEvent[] {
  let characters = 0;
  let count = 0;
  while (count < Math.min(queue.length, mostEvents) && characters < mostCharacters) {
    characters += (queue[count]?.message.length ?? 0) + 26;
    count++;
  }
  return queue.splice(0, count);
}
