// An agent without a container, for tasks that are simulated: it takes its hand-off as the real one does, passes the
// fence, leaves its result, and tells GitLab. How far it gets is the test's matter.

import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import * as z from "zod";
import { handOffSchema, handOffUrlVariable } from "../../src/core/hand-off.ts";
import type { HandOff } from "../../src/core/hand-off.ts";
import { Secret } from "../../src/core/secret.ts";
import { createGitLabClient } from "../../src/gitlab/client.ts";
import { runnerInfo } from "../../src/gitlab/info.ts";
import type { SimulatedTask } from "../fakes/ecs/simulated.ts";

/** Where it ends: before the fence, behind it, behind its result, or as it should. */
export type Stage = "fence" | "script" | "result" | "end";

const payloadSchema = z.object({ id: z.number(), token: z.string() });

export interface PaperAgent {
  /** Runs the job up to this stage; at its end the task is over, with GitLab's confirmation. */
  play(task: SimulatedTask, until?: Stage): Promise<void>;
}

export function createPaperAgent(
  address: () => {
    readonly endpoint: string;
    readonly region: string;
  },
): PaperAgent {
  return {
    async play(simulated, until = "end") {
      simulated.start();
      const handOff = await fetchHandOff(address(), simulated);
      if (until === "fence") return;
      const { task } = handOff;
      if (task === undefined) throw new Error("the hand-off has nothing of a task");
      const { grants, attempt } = task;
      if (!(await put(grants.started, { attempt, nonce: simulated.task.id }))) {
        return simulated.exit("agent", 70);
      }
      if (until === "script") return;
      await put(grants.result, { attempt, kind: "result", result: "success" });
      if (until === "result") return;
      await tellGitLab(handOff, task.trace);
      simulated.exit("job", 0);
      simulated.exit("agent", 0);
    },
  };
}

async function fetchHandOff(
  { endpoint, region }: { readonly endpoint: string; readonly region: string },
  { task }: SimulatedTask,
): Promise<HandOff> {
  const containers = task.request.overrides?.containerOverrides ?? [];
  const agent = containers.find(({ name }) => name === "agent");
  const [, Bucket = "", Key = ""] =
    /^arn:aws:s3:::([^/]+)\/(.+)$/.exec(agent?.environmentFiles?.[0]?.value ?? "") ?? [];
  const credentials = { accessKeyId: "TASK", secretAccessKey: "nothing" };
  const s3 = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  s3.destroy();
  const text = (await Body?.transformToString()) ?? "";
  const url = text.split("\n").find((line) => line.startsWith(`${handOffUrlVariable}=`));
  const answer = await fetch(url?.slice(handOffUrlVariable.length + 1) ?? "");
  return handOffSchema.parse(await answer.json());
}

/** Whether it was ours to make. */
async function put(
  {
    url,
    headers = {},
  }: { readonly url: string; readonly headers?: Record<string, string> | undefined },
  body: unknown,
): Promise<boolean> {
  const answer = await fetch(url, { method: "PUT", headers, body: JSON.stringify(body) });
  if (answer.status === 412) return false;
  if (!answer.ok) throw new Error(`the bucket answers ${answer.status}: ${await answer.text()}`);
  return true;
}

async function tellGitLab({ gitlab, job, runner }: HandOff, trace: string): Promise<void> {
  const { id: jobId, token } = payloadSchema.parse(JSON.parse(job));
  const { version, shell, labels } = runner;
  const client = createGitLabClient({
    url: gitlab.url,
    systemId: gitlab.systemId,
    info: runnerInfo({ version, executor: "fargate", shell, labels }),
  });
  const text = new TextEncoder();
  await client.patchTrace({
    jobId,
    token: new Secret(token),
    bytes: text.encode("the script has run\n"),
    offset: text.encode(trace).length,
  });
  await client.updateJob({ jobId, token: new Secret(token), state: "success" });
  await client.close();
}
