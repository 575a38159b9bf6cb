// What the proof needs besides tasks, as one stack, so that one call removes it: a queue that hears what the reaper
// hears, and a function with the launcher's role, by which the policies are tried where they hold.

import * as z from "zod";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AwsCommand } from "./aws-command.ts";

export interface ProofStack {
  readonly name: string;
  readonly queueUrl: string;
  readonly functionName: string;
}

/** Answers without contents: none of them belongs on a screen. */
const code = `
const { getSignedUrl } = require("@aws-sdk/s3-request-presigner");
exports.handler = async ({ service, client, command, input, keep = [], sign }) => {
  const sdk = require("@aws-sdk/client-" + service);
  try {
    if (sign) return { url: await getSignedUrl(new sdk[client]({}), new sdk[command](input), { expiresIn: 43200 }) };
    const answer = await new sdk[client]({}).send(new sdk[command](input));
    return { kept: Object.fromEntries(keep.map((key) => [key, answer[key]])) };
  } catch (error) {
    return { error: error.name, status: error.$metadata && error.$metadata.httpStatusCode };
  }
};
`;

const queueUrl = { Ref: "Queue" };
const queueArn = { "Fn::GetAtt": ["Queue", "Arn"] };

export function proofTemplate(launcherRole: string, cluster: string): unknown {
  const allow = (Effect: string, Principal: unknown, Condition: unknown) => ({
    Effect,
    Principal,
    Condition,
    Action: "sqs:SendMessage",
    Resource: queueArn,
  });
  return {
    Description: "gitlab-burst: the proof's own, removed at its end",
    Resources: {
      Queue: { Type: "AWS::SQS::Queue", Properties: { SqsManagedSseEnabled: true } },
      QueuePolicy: {
        Type: "AWS::SQS::QueuePolicy",
        Properties: {
          Queues: [queueUrl],
          PolicyDocument: {
            Version: "2012-10-17",
            Statement: [
              allow(
                "Allow",
                { Service: "events.amazonaws.com" },
                {
                  ArnEquals: { "aws:SourceArn": { "Fn::GetAtt": ["Rule", "Arn"] } },
                },
              ),
              allow("Deny", "*", { Bool: { "aws:SecureTransport": "false" } }),
            ],
          },
        },
      },
      Rule: {
        Type: "AWS::Events::Rule",
        Properties: {
          EventPattern: {
            source: ["aws.ecs"],
            "detail-type": ["ECS Task State Change"],
            detail: { clusterArn: [cluster], lastStatus: ["STOPPED"] },
          },
          Targets: [{ Id: "queue", Arn: queueArn }],
        },
      },
      Function: {
        Type: "AWS::Lambda::Function",
        Properties: {
          Runtime: "nodejs24.x",
          Handler: "index.handler",
          Code: { ZipFile: code },
          Role: launcherRole,
          Timeout: 60,
          MemorySize: 512,
        },
      },
    },
    Outputs: { Queue: { Value: queueUrl }, Function: { Value: { Ref: "Function" } } },
  };
}

const describedSchema = z.object({
  Stacks: z.tuple([
    z.object({ Outputs: z.array(z.object({ OutputKey: z.string(), OutputValue: z.string() })) }),
  ]),
});

export async function createProofStack(
  aws: AwsCommand,
  name: string,
  template: unknown,
): Promise<ProofStack> {
  const folder = await mkdtemp(join(tmpdir(), "proof-aws-"));
  try {
    const file = join(folder, "template.json");
    await writeFile(file, JSON.stringify(template));
    await aws("cloudformation create-stack", {
      "stack-name": name,
      "template-body": `file://${file}`,
      "on-failure": "DELETE",
    });
  } finally {
    await rm(folder, { recursive: true });
  }
  await aws("cloudformation wait stack-create-complete", { "stack-name": name });
  const described = await aws("cloudformation describe-stacks", { "stack-name": name });
  const [{ Outputs }] = describedSchema.parse(described).Stacks;
  const valueOf = (key: string) =>
    Outputs.find(({ OutputKey }) => OutputKey === key)?.OutputValue ?? "";
  return { name, queueUrl: valueOf("Queue"), functionName: valueOf("Function") };
}

export async function removeProofStack(aws: AwsCommand, name: string): Promise<void> {
  await aws("cloudformation delete-stack", { "stack-name": name });
  await aws("cloudformation wait stack-delete-complete", { "stack-name": name });
}
