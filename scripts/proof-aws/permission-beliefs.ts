// Docs/unproven.md, "The stack": policies, tried with the launcher's own role where they hold.

import { createHash } from "node:crypto";
import * as z from "zod";
import { isDenied, saidBy } from "./as-launcher.ts";
import type { LauncherAnswer } from "./as-launcher.ts";
import { judge, unclear } from "./belief.ts";
import type { Belief } from "./belief.ts";
import type { World } from "./world.ts";

const startedSchema = z.object({ tasks: z.array(z.object({ taskArn: z.string() })) });

const ecs = { service: "ecs", client: "ECSClient" } as const;

/** The same start as a probe's, as the launcher, without or with tags. */
async function startAsLauncher(world: World, name: string, withTags: boolean) {
  const { request } = await world.probe("small");
  const { tags, enableECSManagedTags: _, ...rest } = request;
  const input = {
    ...rest,
    ...(withTags ? { tags, enableECSManagedTags: true } : {}),
    clientToken: createHash("sha256").update(`${world.runName} ${name}`).digest("hex"),
  };
  const answer = await world.asLauncher({
    ...ecs,
    command: "RunTaskCommand",
    input,
    keep: ["tasks"],
  });
  const taskArn = startedSchema.safeParse(answer.kept).data?.tasks[0]?.taskArn;
  if (taskArn !== undefined) {
    world.undo.add(`task ${taskArn}`, () => world.tasks.stop(taskArn, "The proof is over"));
  }
  return { answer, taskArn };
}

const allowed = (answer: LauncherAnswer) => judge(!isDenied(answer), saidBy(answer));

export const permissionBeliefs: readonly Belief[] = [
  {
    name: "run-task-permission",
    find: async (world) =>
      allowed((await startAsLauncher(world, "run-task-permission", false)).answer),
  },
  {
    name: "create-action",
    find: async (world) => allowed((await startAsLauncher(world, "create-action", true)).answer),
  },
  {
    name: "cluster-condition",
    find: async (world) => {
      const cluster = world.environment.BURST_CLUSTER;
      const { answer, taskArn } = await startAsLauncher(world, "cluster-condition", false);
      if (taskArn === undefined) {
        const text = `RunTask: ${saidBy(answer)}`;
        return isDenied(answer) ? judge(false, text) : unclear(`${text}, but nothing was started`);
      }
      const calls = [
        { command: "DescribeTasksCommand", input: { cluster, tasks: [taskArn] } },
        { command: "ListTasksCommand", input: { cluster, desiredStatus: "STOPPED" } },
        { command: "StopTaskCommand", input: { cluster, task: taskArn, reason: "The proof" } },
      ];
      const seen: string[] = [];
      let isHeld = true;
      for (const call of calls) {
        const said = await world.asLauncher({ ...ecs, ...call });
        seen.push(`${call.command.replace("Command", "")}: ${saidBy(said)}`);
        isHeld &&= said.error === undefined;
      }
      return judge(isHeld, seen.join("; "));
    },
  },
  {
    name: "path-permission",
    find: async ({ asLauncher, environment }) => {
      const answer = await asLauncher({
        service: "ssm",
        client: "SSMClient",
        command: "GetParametersByPathCommand",
        input: { Path: environment.BURST_PARAMETERS, Recursive: true, WithDecryption: false },
      });
      return judge(answer.error === undefined, saidBy(answer));
    },
  },
  { name: "secure-string", find: secureString },
  {
    name: "missing-is-404",
    find: async ({ asLauncher, objects, runName }) => {
      const answer = await asLauncher({
        service: "s3",
        client: "S3Client",
        command: "HeadObjectCommand",
        input: { Bucket: objects.bucket, Key: `jobs/${runName}/there-is-none` },
      });
      return judge(answer.status === 404, saidBy(answer));
    },
  },
  {
    name: "env-file-permission",
    find: async ({ probe }) => {
      const said = await (await probe("meeting")).said();
      return judge(said.get("environment") === "from a file", "read by the execution role");
    },
  },
  {
    name: "role-assumed",
    find: async ({ probe }) => {
      const { task } = await (await probe("small")).end();
      return judge(task.startedAt !== undefined, task.stoppedReason);
    },
  },
];

const parametersSchema = z.object({
  Parameters: z.array(z.object({ Name: z.string(), Type: z.string() })),
});

/** One that is there; its value stays in the function. */
async function secureString({ aws, asLauncher, environment }: World) {
  const listed = parametersSchema.parse(
    await aws("ssm get-parameters-by-path", {
      recursive: true,
      "no-with-decryption": true,
      path: environment.BURST_PARAMETERS,
    }),
  );
  const token = listed.Parameters.find(({ Type }) => Type === "SecureString");
  if (token === undefined) return unclear("the environment has no SecureString yet");
  const answer = await asLauncher({
    service: "ssm",
    client: "SSMClient",
    command: "GetParametersCommand",
    input: { Names: [token.Name], WithDecryption: true },
  });
  return judge(answer.error === undefined, saidBy(answer));
}
