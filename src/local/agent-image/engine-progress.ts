// What an engine tells while it loads, builds or pulls: lines of JSON after a 200, and an error, if there is one,
// among them. dockerode's followProgress hands those errors over as if all had gone well.

import { createInterface } from "node:readline";
import * as z from "zod";

const event = z.object({
  stream: z.string().optional(),
  status: z.string().optional(),
  error: z.string().optional(),
});

/** Until the engine is through. The error it told of, if any, else undefined. */
export async function engineError(
  answer: NodeJS.ReadableStream,
  hear: (text: string) => void = () => undefined,
): Promise<string | undefined> {
  let failure: string | undefined;
  for await (const line of createInterface({ input: answer })) {
    if (line.trim() === "") continue;
    const { stream, status, error } = event.parse(JSON.parse(line));
    failure ??= error;
    const text = (stream ?? status ?? "").trim();
    if (text !== "") hear(text);
  }
  return failure;
}
