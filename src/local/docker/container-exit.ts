// Waits for a container's next end. The engine's client library never settles such a call when the engine goes away
// after it has begun to answer, which is at once: so the answer is read here.

import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import type { Container } from "dockerode";
import * as z from "zod";

const answerSchema = z.object({ StatusCode: z.number() });

/** To be asked before the start, or a quick end is missed. Rejects when the engine goes away. */
export async function nextExit(container: Container): Promise<number> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    container.modem.dial(
      {
        path: `/containers/${container.id}/wait?`,
        options: { _query: { condition: "next-exit" }, _body: {} },
        method: "POST",
        isStream: true,
        statusCodes: { 200: true, 400: "bad parameter", 404: "no such container" },
      },
      (cause: Error | null, answer: IncomingMessage) => {
        if (cause === null) resolve(answer);
        else reject(cause);
      },
    );
  });
  const answer = await text(response).catch((cause: unknown) => {
    throw new Error("its connection broke off", { cause });
  });
  return answerSchema.parse(JSON.parse(answer)).StatusCode;
}
