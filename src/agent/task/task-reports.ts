// What the agent of a task on ECS reports: there is no pipe to whoever launched it, so its reports are objects in the
// bucket. One asks whether the script may begin; the other is the result, which anybody can tell GitLab if we die now.

import { randomUUID } from "node:crypto";
import type { TaskResult } from "../../core/hand-off.ts";
import type { Reports } from "../report.ts";
import { passFence } from "./fence.ts";
import type { FenceTools } from "./fence.ts";

const resultTries = 5;

export function taskReports(tools: FenceTools, attempt: number): Reports {
  const { storage, sleep, diagnostic } = tools;
  const nonce = randomUUID();
  return {
    begin: () => passFence(tools, { attempt, nonce }),
    async send(report) {
      if (report.kind !== "result") return;
      const result: TaskResult = { attempt, ...report };
      for (let tried = 1; ; tried++) {
        const { result: address } = await tools.grants();
        const reply = await storage.write(address, JSON.stringify(result));
        if (reply.kind === "done") return;
        if (tried === resultTries) {
          const why = reply.kind === "missing" ? "there is no such bucket" : reply.message;
          return diagnostic(`the result could not be left in the bucket: ${why}`);
        }
        await sleep(2 ** (tried - 1) * 250);
      }
    },
  };
}
