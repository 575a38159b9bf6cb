// What each function may do, spelled out. The calls are those of src/aws; a call that no function makes is not here.

import { ArnFormat, Stack } from "aws-cdk-lib";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { IConstruct } from "constructs";
import { contextKey } from "./settings.ts";
import { throughServices } from "./grant.ts";
import type { Permission } from "./grant.ts";
import type { FunctionName } from "./bundles.ts";
import type { JobRuntime } from "./job-runtime.ts";
import type { Storage } from "./storage.ts";

export interface World {
  readonly environment: string;
  readonly namePrefix: string;
  /** `/gitlab-burst/<env>`. */
  readonly parameters: string;
  readonly storage: Storage;
  readonly runtime: JobRuntime;
  readonly launcherName: string;
  readonly encryptionKey: IKey | undefined;
}

/** The path of roles that jobs may be given: whoever makes one there lets jobs have it. */
export const jobRolePath = (environment: string) => `/${contextKey}/${environment}/`;

export function permissionsOf(scope: IConstruct, name: FunctionName, world: World): Permission[] {
  const may = permissions(Stack.of(scope), world);
  switch (name) {
    case "poller":
      return [
        ...may.readSettings,
        ...may.poll,
        ...may.seeTasks,
        ...may.invokeLauncher,
        ...may.useKey,
      ];
    case "launcher":
    case "reaper":
      return [...may.readSettings, ...may.advance, ...may.seeTasks, ...may.useKey];
    case "sweeper":
      return [
        ...may.readSettings,
        ...may.advance,
        ...may.seeTasks,
        ...may.sweep,
        ...may.invokeLauncher,
        ...may.useKey,
      ];
  }
}

function permissions(stack: Stack, world: World) {
  const { state, cache } = world.storage;
  const { cluster, executionRole } = world.runtime;
  const ofCluster = { ArnEquals: { "ecs:cluster": cluster.clusterArn } };
  const arn = (service: string, resource: string, resourceName: string) =>
    stack.formatArn({ service, resource, resourceName });
  const colonArn = (service: string, resource: string, resourceName: string) =>
    stack.formatArn({
      service,
      resource,
      resourceName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  const path = world.parameters.slice(1);
  const parameters = [arn("ssm", "parameter", path), arn("ssm", "parameter", `${path}/*`)];
  const tasks = arn("ecs", "task", `${world.namePrefix}/*`);
  const secrets = colonArn("secretsmanager", "secret", `${world.namePrefix}/*`);
  const one = {
    parameters: "runners are parameters below this environment's path, made while the stack lives",
    claims: "one object for every open job, below prefixes of this one bucket",
    caches:
      "one object for every cache key of every project, in this one bucket; it signs addresses for jobs",
    tasks: "a task for every job, of this one cluster",
  };

  const readSettings: Permission[] = [
    {
      actions: ["ssm:GetParametersByPath", "ssm:GetParameters"],
      resources: parameters,
      wide: one.parameters,
    },
    {
      actions: ["kms:Decrypt"],
      resources: [arn("kms", "key", "*")],
      conditions: {
        StringEquals: { "kms:ViaService": `ssm.${stack.region}.${stack.urlSuffix}` },
        ArnLike: { "kms:EncryptionContext:PARAMETER_ARN": parameters[1] },
      },
      wide: "whoever puts a token chooses its key; only through Parameter Store, and only this environment's parameters",
    },
  ];

  const poll: Permission[] = [
    {
      actions: ["s3:GetObject", "s3:PutObject"],
      resources: [state.arnForObjects("poller/*"), state.arnForObjects("claims/*")],
      wide: one.claims,
    },
    { actions: ["s3:ListBucket"], resources: [state.bucketArn] },
  ];

  const seeTasks: Permission[] = [
    {
      actions: ["ecs:DescribeTasks"],
      resources: [tasks],
      conditions: ofCluster,
      wide: one.tasks,
    },
  ];

  const advance: Permission[] = [
    {
      actions: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
      resources: [state.arnForObjects("claims/*"), state.arnForObjects("jobs/*")],
      wide: one.claims,
    },
    {
      actions: ["s3:GetObject", "s3:PutObject"],
      resources: [cache.arnForObjects("*")],
      wide: one.caches,
    },
    // Without it what is missing is answered with 403, and a condition on the prefix does not hold for that answer.
    { actions: ["s3:ListBucket"], resources: [state.bucketArn, cache.bucketArn] },
    {
      actions: ["ecs:RunTask"],
      resources: [arn("ecs", "task-definition", `${world.namePrefix}-*`)],
      conditions: ofCluster,
      wide: "a definition for every set of images, all of them of families with this prefix",
    },
    {
      actions: ["ecs:TagResource"],
      resources: [tasks],
      conditions: { StringEquals: { "ecs:CreateAction": "RunTask" } },
      wide: one.tasks,
    },
    {
      actions: ["ecs:StopTask"],
      resources: [tasks],
      conditions: ofCluster,
      wide: one.tasks,
    },
    {
      actions: ["ecs:ListTasks"],
      resources: ["*"],
      conditions: ofCluster,
      wide: "the action knows container instances only; the condition keeps it to this cluster",
    },
    {
      actions: [
        "ecs:RegisterTaskDefinition",
        "ecs:DeregisterTaskDefinition",
        "ecs:ListTaskDefinitions",
      ],
      resources: ["*"],
      wide: "these actions know no resource",
    },
    {
      actions: ["iam:PassRole"],
      resources: [
        executionRole.roleArn,
        stack.formatArn({
          service: "iam",
          region: "",
          resource: "role",
          resourceName: `${jobRolePath(world.environment).slice(1)}*`,
        }),
      ],
      conditions: { StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" } },
      wide: "roles for jobs are those below this one path, to ECS tasks only",
    },
    {
      actions: [
        "secretsmanager:CreateSecret",
        "secretsmanager:DeleteSecret",
        "secretsmanager:DescribeSecret",
        "secretsmanager:RestoreSecret",
        "secretsmanager:TagResource",
      ],
      resources: [secrets],
      // Tags are those that a secret is made with.
      wide: "a secret for every login to a registry, below this one prefix; none can be read",
    },
  ];

  const sweep: Permission[] = [
    {
      actions: ["secretsmanager:ListSecrets"],
      resources: ["*"],
      wide: "the action knows no resource; it lists names, never values",
    },
  ];

  const invokeLauncher: Permission[] = [
    {
      actions: ["lambda:InvokeFunction"],
      resources: [colonArn("lambda", "function", world.launcherName)],
    },
  ];

  const useKey: Permission[] =
    world.encryptionKey === undefined
      ? []
      : [
          {
            actions: ["kms:Decrypt", "kms:GenerateDataKey"],
            resources: [world.encryptionKey.keyArn],
            conditions: throughServices(stack),
          },
        ];

  return { readSettings, poll, seeTasks, advance, sweep, invokeLauncher, useKey };
}
