// What ECS says when the vCPU quota is used up: asked with a task that is larger than a small account's whole quota.

import { createHash } from "node:crypto";
import * as z from "zod";
import { judge, unclear } from "./belief.ts";
import type { Finding } from "./belief.ts";
import type { World } from "./world.ts";

const large = { vcpu: 16, cpu: "16384", memory: "32768" } as const;

export async function quotaWords({ aws, probe, tasks, runName, undo }: World): Promise<Finding> {
  const answer = await aws("service-quotas get-service-quota", {
    "service-code": "fargate",
    "quota-code": "L-3032A538",
  });
  const quota = z.object({ Quota: z.object({ Value: z.number() }) }).parse(answer).Quota.Value;
  if (quota >= large.vcpu) {
    return unclear(`the account's quota of ${quota} vCPU is too large to be used up for this`);
  }
  const { request } = await probe("small");
  const { cpu, memory } = large;
  const reply = await tasks.run({
    ...request,
    overrides: { ...request.overrides, cpu, memory },
    clientToken: createHash("sha256").update(`${runName} quota`).digest("hex"),
  });
  if (reply.kind === "launched") {
    const { taskArn } = reply;
    undo.add(`task ${taskArn}`, () => tasks.stop(taskArn, "The proof is over"));
    await tasks.stop(taskArn, "The proof wanted it refused");
  }
  return judge(reply.kind === "quota", "message" in reply ? reply.message : reply.kind);
}
