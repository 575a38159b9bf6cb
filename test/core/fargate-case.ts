// Plans for Fargate and a place for them: only what a case is about is written in it.

import { createHash } from "node:crypto";
import { fargateDefinition } from "../../src/core/fargate-definition.ts";
import type { DefinitionParts } from "../../src/core/fargate-definition.ts";
import type { FargatePlace } from "../../src/core/fargate-place.ts";
import { runTaskRequest } from "../../src/core/fargate-run.ts";
import type { FargateLaunch } from "../../src/core/fargate-run.ts";
import type { RunTaskRequest, TaskDefinition } from "../../src/core/fargate-task.ts";
import { planTask } from "../../src/core/plan.ts";
import type { ContainersPlan } from "../../src/core/task-plan.ts";
import { jobOf, settingsOf, variablesOf } from "./plan-case.ts";

export interface FargateCase {
  readonly job?: object;
  readonly settings?: object;
  readonly variables?: Readonly<Record<string, string>>;
}

export function fargatePlan({ job = {}, settings = {}, variables = {} }: FargateCase = {}) {
  const planned = planTask(
    jobOf({ image: { name: "alpine:3" }, ...job }),
    settingsOf({ sizes: { maximum: { cpu: 32, memory: "244g" } }, vcpu_budget: 0, ...settings }),
    { executor: "fargate", variables: variablesOf(variables), agentImage: "" },
  );
  if (planned.kind === "refusal") throw new Error(planned.message);
  if (planned.plan.executor === "process") throw new Error("no plan for containers");
  return planned.plan;
}

export const place: FargatePlace = {
  cluster: "gitlab-burst-default",
  region: "eu-central-1",
  securityGroups: ["sg-1"],
  assignPublicIp: "ENABLED",
  executionRole: "arn:aws:iam::123456789012:role/execution",
  logGroup: "/gitlab-burst/default/jobs",
  namePrefix: "gitlab-burst-default",
  agentImages: {
    x86_64: "registry.example.com/agent:x86",
    arm64: "registry.example.com/agent:arm",
  },
  stateBucket: "state-123456789012",
  runner: "team",
};

export const parts: DefinitionParts = {
  bootScript: "# boot\n",
  loginSecrets: {},
  sha256Hex: (text) => createHash("sha256").update(text).digest("hex"),
};

export const launch: FargateLaunch = {
  clientToken: "0123456789abcdef",
  startedBy: "team/1024/0123456789abcdef0123456789abcdef",
  capacityProvider: "FARGATE",
  subnets: ["subnet-1", "subnet-2"],
  environmentFiles: {},
  labels: {},
};

export function define(
  wanted: FargateCase | ContainersPlan = {},
  changed: {
    readonly place?: Partial<FargatePlace>;
    readonly parts?: Partial<DefinitionParts>;
  } = {},
): TaskDefinition {
  const plan = "executor" in wanted ? wanted : fargatePlan(wanted);
  const made = fargateDefinition(
    plan,
    { ...place, ...changed.place },
    { ...parts, ...changed.parts },
  );
  if (made.kind === "refusal") throw new Error(made.message);
  return made.definition;
}

export function start(
  wanted: FargateCase = {},
  changed: {
    readonly place?: Partial<FargatePlace>;
    readonly launch?: Partial<FargateLaunch>;
  } = {},
): RunTaskRequest {
  const made = runTaskRequest(
    fargatePlan(wanted),
    "family",
    { ...place, ...changed.place },
    { ...launch, ...changed.launch },
  );
  if (made.kind === "refusal") throw new Error(made.message);
  return made.request;
}
