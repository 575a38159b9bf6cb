// The synthesized stack as CloudFormation would leave it: references resolved to names, so that functions get the very
// environment and the very policies that the template has.

import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { App } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import * as z from "zod";
import { BurstStack } from "../../infra/burst-stack.ts";
import { functionNames } from "../../infra/bundles.ts";
import type { FunctionName } from "../../infra/bundles.ts";
import { parseDeployment } from "../../infra/settings.ts";
import { fakeBuiltFolder } from "../infra/built-folder.ts";

export const account = "123456789012";

const list = z.union([z.string().transform((one) => [one]), z.array(z.string())]);

const statementSchema = z.strictObject({
  Effect: z.enum(["Allow", "Deny"]),
  Action: list,
  Resource: list,
  Condition: z.record(z.string(), z.record(z.string(), list)).optional(),
});

export type Statement = z.output<typeof statementSchema>;

export interface ResolvedStack {
  readonly environments: Readonly<Record<FunctionName, Readonly<Record<string, string>>>>;
  readonly policies: Readonly<Record<FunctionName | "execution", readonly Statement[]>>;
  readonly executionRole: string;
  readonly clusterArn: string;
}

const functionSchema = z.object({
  FunctionName: z.string(),
  Environment: z.object({ Variables: z.record(z.string(), z.string()) }),
});
const policySchema = z.object({
  PolicyDocument: z.object({ Statement: z.array(statementSchema) }),
});

type Resources = Readonly<Record<string, { readonly Type: string; readonly Properties?: unknown }>>;

export function resolveStack(region: string): ResolvedStack {
  const resources = synthesize();
  const resolve = resolver(resources, region);
  const policiesOf = (role: string) =>
    Object.entries(resources).flatMap(([id, { Type, Properties }]) =>
      Type === "AWS::IAM::Policy" && id.startsWith(role)
        ? policySchema.parse(resolve(Properties)).PolicyDocument.Statement
        : [],
    );
  const functions = Object.values(resources).flatMap(({ Type, Properties }) =>
    Type === "AWS::Lambda::Function" ? [functionSchema.parse(resolve(Properties))] : [],
  );
  const environmentOf = (name: FunctionName) => {
    const found = functions.find(({ FunctionName }) => FunctionName.endsWith(`-${name}`));
    if (found === undefined) throw new Error(`the template has no function ${name}`);
    return found.Environment.Variables;
  };
  const titled = (name: string) => `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
  const each = <Value>(make: (name: FunctionName) => Value) =>
    Object.fromEntries(functionNames.map((name) => [name, make(name)])) as Record<
      FunctionName,
      Value
    >;
  const environments = each(environmentOf);
  const { BURST_EXECUTION_ROLE = "", BURST_CLUSTER = "" } = environments.launcher;
  return {
    environments,
    policies: {
      ...each((name) => policiesOf(`RunnerFunctions${titled(name)}Role`)),
      execution: policiesOf("RunnerJobsExecution"),
    },
    executionRole: BURST_EXECUTION_ROLE,
    clusterArn: `arn:aws:ecs:${region}:${account}:cluster/${BURST_CLUSTER}`,
  };
}

function synthesize(): Resources {
  const file = fileURLToPath(new URL("../../cdk.json", import.meta.url));
  const { context } = z
    .object({ context: z.record(z.string(), z.unknown()) })
    .parse(JSON.parse(readFileSync(file, "utf8")));
  const dist = fakeBuiltFolder();
  const app = new App({ autoSynth: false, context });
  try {
    const stack = new BurstStack(app, parseDeployment(undefined, { default: {} }), dist);
    return Template.fromStack(stack).toJSON()["Resources"] as Resources;
  } finally {
    for (const folder of [dist, app.outdir]) rmSync(folder, { recursive: true, force: true });
  }
}

function resolver(resources: Resources, region: string) {
  const pseudo: Readonly<Record<string, string>> = {
    "AWS::Partition": "aws",
    "AWS::Region": region,
    "AWS::AccountId": account,
    "AWS::URLSuffix": "amazonaws.com",
  };
  const nameOf = (id: string): string => {
    const known = pseudo[id];
    if (known !== undefined) return known;
    const properties = (resources[id]?.Properties ?? {}) as Record<string, unknown>;
    const name = Object.entries(properties).find(([key]) =>
      /^(Bucket|Cluster|Function|LogGroup|Queue|Role)Name$/.test(key),
    );
    const prefix = { "AWS::EC2::Subnet": "subnet", "AWS::EC2::SecurityGroup": "sg" }[
      resources[id]?.Type ?? ""
    ];
    if (prefix !== undefined) return `${prefix}-${idOf(id)}`;
    return typeof name?.[1] === "string" ? name[1] : id.toLowerCase();
  };
  const arns: Readonly<Record<string, (id: string) => string>> = {
    "AWS::S3::Bucket": (id) => `arn:aws:s3:::${nameOf(id)}`,
    "AWS::ECS::Cluster": (id) => `arn:aws:ecs:${region}:${account}:cluster/${nameOf(id)}`,
    "AWS::IAM::Role": (id) => `arn:aws:iam::${account}:role/${nameOf(id)}`,
    "AWS::Lambda::Function": (id) => `arn:aws:lambda:${region}:${account}:function:${nameOf(id)}`,
    "AWS::Logs::LogGroup": (id) => `arn:aws:logs:${region}:${account}:log-group:${nameOf(id)}:*`,
    "AWS::SQS::Queue": (id) => `arn:aws:sqs:${region}:${account}:${nameOf(id)}`,
  };
  const substitute = (text: string) =>
    text.replaceAll(/\$\{([^}]+)\}/g, (_, id: string) => nameOf(id));
  const resolve = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(resolve);
    if (typeof value !== "object" || value === null) return value;
    if ("Ref" in value) return nameOf(String(value.Ref));
    if ("Fn::Sub" in value) return substitute(String(value["Fn::Sub"]));
    if ("Fn::GetAtt" in value) {
      const [id = "", attribute] = value["Fn::GetAtt"] as string[];
      const arn = arns[resources[id]?.Type ?? ""];
      return attribute === "Arn" && arn !== undefined ? arn(id) : nameOf(id);
    }
    if ("Fn::Join" in value) {
      const [separator, parts] = value["Fn::Join"] as [string, unknown[]];
      return parts.map(resolve).join(separator);
    }
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, resolve(one)]));
  };
  return resolve;
}

/** As AWS's ids end. */
function idOf(name: string): string {
  return createHash("sha256").update(name).digest("hex").slice(0, 17);
}
