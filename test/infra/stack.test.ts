// The facts of the template that matter. One file, for a synthesis takes seconds: most tests look at the same one,
// which was made as the app makes it, with CDK's own rules and those of cdk-nag.

import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { App, Stack, Validations } from "aws-cdk-lib";
import { Match, Template } from "aws-cdk-lib/assertions";
import { Vpc } from "aws-cdk-lib/aws-ec2";
import type { IVpc } from "aws-cdk-lib/aws-ec2";
import { AwsSolutionsChecks } from "cdk-nag";
import { afterAll, beforeAll, expect, test } from "vitest";
import * as z from "zod";
import { BurstStack } from "../../infra/burst-stack.ts";
import { findBundles } from "../../infra/bundles.ts";
import { GitLabBurst } from "../../infra/gitlab-burst.ts";
import { parseDeployment } from "../../infra/settings.ts";
import { functionEnvironmentSchema } from "../../src/core/function-environment.ts";
import { fakeBuiltFolder } from "./built-folder.ts";

const { context } = z
  .object({ context: z.record(z.string(), z.unknown()) })
  .parse(
    JSON.parse(readFileSync(fileURLToPath(new URL("../../cdk.json", import.meta.url)), "utf8")),
  );

const dist = fakeBuiltFolder();
const outputs: string[] = [];
let template: Template;

beforeAll(() => {
  template = synthesize({});
}, 120_000);

afterAll(() => {
  for (const folder of [dist, ...outputs]) rmSync(folder, { recursive: true, force: true });
});

/** As infra/app.ts does it. */
function synthesize(settings: unknown, env?: string): Template {
  const app = newApp();
  const stack = new BurstStack(app, parseDeployment(env, { [env ?? "default"]: settings }), dist);
  return finish(app, stack);
}

function newApp(): App {
  const app = new App({ autoSynth: false, context });
  outputs.push(app.outdir);
  return app;
}

/** Throws where a rule is broken. */
function finish(app: App, stack: Stack): Template {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  app.synth();
  return Template.fromStack(stack);
}

const statementSchema = z.object({
  Action: z.union([z.string().transform((one) => [one]), z.array(z.string())]),
  Resource: z.unknown(),
  Condition: z.unknown().optional(),
});

type Statement = z.output<typeof statementSchema>;

/** What one role may do. */
function statements(of: Template, role: string): Statement[] {
  const policies = of.findResources("AWS::IAM::Policy");
  const own = Object.entries(policies).filter(([id]) => id.startsWith(role));
  return own.flatMap(([, policy]) =>
    z.array(statementSchema).parse(policy["Properties"].PolicyDocument.Statement),
  );
}

function actions(role: string): string[] {
  return [...new Set(statements(template, role).flatMap(({ Action }) => Action))].toSorted();
}

const common = [
  "kms:Decrypt",
  "logs:CreateLogStream",
  "logs:PutLogEvents",
  "ssm:GetParameters",
  "ssm:GetParametersByPath",
];
const advance = [
  ...common,
  "ecs:DeregisterTaskDefinition",
  "ecs:DescribeTasks",
  "ecs:ListTaskDefinitions",
  "ecs:ListTasks",
  "ecs:RegisterTaskDefinition",
  "ecs:RunTask",
  "ecs:StopTask",
  "ecs:TagResource",
  "iam:PassRole",
  "s3:DeleteObject",
  "s3:GetObject",
  "s3:ListBucket",
  "s3:PutObject",
  "secretsmanager:CreateSecret",
  "secretsmanager:DeleteSecret",
  "secretsmanager:DescribeSecret",
  "secretsmanager:RestoreSecret",
  "secretsmanager:TagResource",
];

test.each([
  [
    "RunnerFunctionsPollerRole",
    [
      ...common,
      "ecs:DescribeTasks",
      "lambda:InvokeFunction",
      "s3:GetObject",
      "s3:ListBucket",
      "s3:PutObject",
    ],
  ],
  ["RunnerFunctionsLauncherRole", [...advance, "sqs:SendMessage"]],
  ["RunnerFunctionsReaperRole", [...advance, "sqs:SendMessage"]],
  [
    "RunnerFunctionsSweeperRole",
    [...advance, "lambda:InvokeFunction", "secretsmanager:ListSecrets"],
  ],
  [
    "RunnerJobsExecution",
    [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:GetAuthorizationToken",
      "ecr:GetDownloadUrlForLayer",
      "logs:CreateLogStream",
      "logs:PutLogEvents",
      "s3:GetBucketLocation",
      "s3:GetObject",
      "secretsmanager:GetSecretValue",
    ],
  ],
])("%s may do this and nothing else", (role, expected) => {
  expect(actions(role)).toEqual(expected.toSorted());
});

const flat = (value: unknown) => JSON.stringify(value);

test("only the execution role and those below one path can be given to tasks, and to nothing else", () => {
  const pass = statements(template, "RunnerFunctionsLauncherRole").filter(({ Action }) =>
    Action.includes("iam:PassRole"),
  );
  expect(pass).toHaveLength(1);
  expect(flat(pass[0]?.Resource)).toMatch(/RunnerJobsExecution.*:role\/gitlab-burst\/default\/\*/);
  expect(pass[0]?.Condition).toEqual({
    StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" },
  });
});

test("tasks are started only from families with the prefix, and in this cluster", () => {
  const run = statements(template, "RunnerFunctionsLauncherRole").filter(({ Action }) =>
    Action.includes("ecs:RunTask"),
  );
  expect(run).toHaveLength(1);
  expect(flat(run[0]?.Resource)).toContain(":task-definition/gitlab-burst-default-*");
  expect(flat(run[0]?.Condition)).toContain('"ecs:cluster"');
});

test("the poller cannot reach what belongs to a job, and nobody but the execution role reads a secret", () => {
  const poller = flat(statements(template, "RunnerFunctionsPollerRole"));
  expect(poller).toContain("/poller/*");
  expect(poller).not.toContain("/jobs/");
  const readers = Object.entries(template.findResources("AWS::IAM::Policy")).filter(([, policy]) =>
    flat(policy).includes("secretsmanager:GetSecretValue"),
  );
  expect(readers.map(([id]) => id.replace(/DefaultPolicy.*/, ""))).toEqual([
    expect.stringMatching(/^RunnerJobsExecution/),
  ]);
});

test("ECS itself reads environment files, and nothing else of a job", () => {
  const files = statements(template, "RunnerJobsExecution").filter(({ Action }) =>
    Action.includes("s3:GetObject"),
  );
  expect(flat(files.map(({ Resource }) => Resource))).toContain("/jobs/*.env");
});

test("what holds data keeps its logical id, and stays when the stack goes", () => {
  const ids = [
    "RunnerStorageStateD26667EE",
    "RunnerStorageCacheD2EBF323",
    "RunnerJobsLogs538EE005",
  ];
  const resources = z
    .record(z.string(), z.object({ DeletionPolicy: z.string().optional() }))
    .parse(template.toJSON()["Resources"]);
  for (const id of ids) expect(resources[id]?.DeletionPolicy).toBe("Retain");
  const kept = Object.entries(resources).filter(([, one]) => one.DeletionPolicy === "Retain");
  expect(kept.map(([id]) => id).toSorted()).toEqual(ids.toSorted());
});

test("what stays can be found by its tag", () => {
  const tag = { Key: "gitlab-burst", Value: "default" };
  template.allResourcesProperties("AWS::S3::Bucket", { Tags: Match.arrayWith([tag]) });
  template.allResourcesProperties("AWS::Logs::LogGroup", { Tags: Match.arrayWith([tag]) });
});

test("buckets are encrypted, closed to the public and to what is not TLS, and never lose a claim", () => {
  const buckets = template.findResources("AWS::S3::Bucket");
  expect(Object.keys(buckets)).toHaveLength(2);
  for (const { Properties: bucket } of Object.values(buckets)) {
    expect(bucket.BucketEncryption).toBeDefined();
    expect(Object.values(bucket.PublicAccessBlockConfiguration)).toEqual([true, true, true, true]);
    const rules: unknown[] = bucket.LifecycleConfiguration.Rules;
    expect(flat(rules)).toContain("AbortIncompleteMultipartUpload");
  }
  template.allResourcesProperties("AWS::S3::BucketPolicy", {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Effect: "Deny",
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        }),
      ]),
    },
  });
  const state = template.findResources("AWS::S3::Bucket")["RunnerStorageStateD26667EE"];
  const expiring = state?.["Properties"].LifecycleConfiguration.Rules.filter(
    (rule: object) => "ExpirationInDays" in rule,
  );
  expect(expiring).toEqual([expect.objectContaining({ Prefix: "jobs/" })]);
});

test("the network lets nothing in, has no NAT, and a way to S3 that costs nothing", () => {
  template.resourceCountIs("AWS::EC2::NatGateway", 0);
  template.resourceCountIs("AWS::EC2::Subnet", 2);
  template.resourceCountIs("AWS::EC2::SecurityGroupIngress", 0);
  template.hasResourceProperties("AWS::EC2::SecurityGroup", {
    SecurityGroupIngress: Match.absent(),
  });
  template.hasResourceProperties("AWS::EC2::VPCEndpoint", { VpcEndpointType: "Gateway" });
});

test("no function of CDK's own is in it, no concurrency is reserved, and no role takes a managed policy", () => {
  const functions = Object.values(template.findResources("AWS::Lambda::Function"));
  expect(functions).toHaveLength(4);
  for (const { Properties: one } of functions) {
    expect(one).toMatchObject({ Runtime: "nodejs24.x", Architectures: ["arm64"] });
    expect(one.ReservedConcurrentExecutions).toBeUndefined();
    expect(one.LoggingConfig.LogGroup).toBeDefined();
  }
  for (const { Properties: role } of Object.values(template.findResources("AWS::IAM::Role"))) {
    expect(role.ManagedPolicyArns).toBeUndefined();
  }
});

test("every function is given all that its environment must hold", () => {
  const functions = Object.values(template.findResources("AWS::Lambda::Function"));
  const names = Object.keys(functionEnvironmentSchema.shape).toSorted();
  for (const { Properties: one } of functions) {
    expect(Object.keys(one.Environment.Variables).toSorted()).toEqual(names);
  }
});

test("the poller has a tick a minute, the sweeper one every five, and a missed tick is not made up for", () => {
  for (const [period, target] of [
    ["rate(1 minute)", "Poller"],
    ["rate(5 minutes)", "Sweeper"],
  ]) {
    template.hasResourceProperties("AWS::Scheduler::Schedule", {
      ScheduleExpression: period,
      State: "ENABLED",
      Target: {
        Arn: { "Fn::GetAtt": [Match.stringLikeRegexp(`RunnerFunctions${target}Function`), "Arn"] },
        RetryPolicy: { MaximumRetryAttempts: 0 },
      },
    });
  }
});

test("nobody polls before all is there that a claimed job needs", () => {
  const schedules = template.findResources("AWS::Scheduler::Schedule");
  expect(Object.keys(schedules)).toHaveLength(2);
  for (const type of [
    "AWS::ECS::ClusterCapacityProviderAssociations",
    "AWS::EC2::Route",
    "AWS::Events::Rule",
    "AWS::Lambda::Permission",
    "AWS::S3::BucketPolicy",
  ]) {
    const [needed = ""] = Object.keys(template.findResources(type));
    for (const schedule of Object.values(schedules)) {
      expect(schedule).toHaveProperty("DependsOn", expect.arrayContaining([needed]));
    }
  }
});

test("the reaper hears of stopped tasks of this cluster, and what it cannot take goes into the queue", () => {
  template.hasResourceProperties("AWS::Events::Rule", {
    EventPattern: {
      source: ["aws.ecs"],
      "detail-type": ["ECS Task State Change"],
      detail: {
        clusterArn: [{ "Fn::GetAtt": [Match.stringLikeRegexp("Cluster"), "Arn"] }],
        lastStatus: ["STOPPED"],
      },
    },
    Targets: [
      Match.objectLike({ DeadLetterConfig: Match.anyValue(), RetryPolicy: Match.anyValue() }),
    ],
  });
});

test("the launcher is tried three times, then its event goes into the queue", () => {
  template.hasResourceProperties("AWS::Lambda::EventInvokeConfig", {
    FunctionName: { Ref: Match.stringLikeRegexp("RunnerFunctionsLauncherFunction") },
    MaximumRetryAttempts: 2,
    MaximumEventAgeInSeconds: 1800,
    DestinationConfig: { OnFailure: { Destination: Match.anyValue() } },
  });
});

test("the cluster has both capacities and no Container Insights", () => {
  template.hasResourceProperties("AWS::ECS::ClusterCapacityProviderAssociations", {
    CapacityProviders: ["FARGATE", "FARGATE_SPOT"],
  });
  template.hasResourceProperties("AWS::ECS::Cluster", {
    ClusterSettings: [{ Name: "containerInsights", Value: "disabled" }],
  });
});

test("six alarms stand without an address, and write to one that is given; environments share no name", () => {
  template.resourceCountIs("AWS::CloudWatch::Alarm", 6);
  template.resourceCountIs("AWS::SNS::Topic", 0);
  const told = synthesize({ alarmAddress: "ci@example.com", dashboard: false }, "prod");
  told.allResourcesProperties("AWS::CloudWatch::Alarm", { AlarmActions: [Match.anyValue()] });
  told.hasResourceProperties("AWS::SNS::Subscription", {
    Protocol: "email",
    Endpoint: "ci@example.com",
  });
  told.hasResourceProperties("AWS::SNS::TopicPolicy", {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Effect: "Allow",
          Action: "sns:Publish",
          Principal: { Service: "cloudwatch.amazonaws.com" },
        }),
      ]),
    },
  });
  told.resourceCountIs("AWS::CloudWatch::Dashboard", 0);
  expect(flat(told.toJSON())).not.toContain("gitlab-burst-default");
}, 90_000);

test("a given network, key, boundary and image are taken, and no network is made", () => {
  const key = "arn:aws:kms:eu-west-1:111122223333:key/0123abcd-01ab-01ab-01ab-0123456789ab";
  const boundary = "arn:aws:iam::111122223333:policy/boundary";
  const given = synthesize({
    namePrefix: "ci",
    network: {
      vpcId: "vpc-0123456789abcdef0",
      subnetIds: ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
      securityGroupIds: ["sg-0123456789abcdef0"],
      assignPublicIp: false,
      functions: { subnetIds: ["subnet-0123456789abcdef2"] },
    },
    kmsKeyArn: key,
    permissionsBoundaryArn: boundary,
    architectures: ["x86_64", "arm64"],
    agentImage: "registry.example.com/agent:1",
    logRetentionDays: 7,
    tags: { team: "ci" },
  });
  given.resourceCountIs("AWS::EC2::VPC", 0);
  given.allResourcesProperties("AWS::IAM::Role", { PermissionsBoundary: boundary });
  given.allResourcesProperties("AWS::Logs::LogGroup", { KmsKeyId: key, RetentionInDays: 7 });
  given.allResourcesProperties("AWS::Lambda::Function", {
    FunctionName: Match.stringLikeRegexp("^ci-"),
    VpcConfig: {
      SubnetIds: ["subnet-0123456789abcdef2"],
      SecurityGroupIds: ["sg-0123456789abcdef0"],
    },
    Environment: {
      Variables: {
        BURST_SUBNETS: "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
        BURST_SECURITY_GROUPS: "sg-0123456789abcdef0",
        BURST_ASSIGN_PUBLIC_IP: "DISABLED",
        BURST_KMS_KEY: key,
        BURST_AGENT_IMAGES: JSON.stringify({
          x86_64: "registry.example.com/agent:1",
          arm64: "registry.example.com/agent:1",
        }),
      },
    },
    Tags: Match.arrayWith([
      { Key: "gitlab-burst", Value: "default" },
      { Key: "team", Value: "ci" },
    ]),
  });
}, 90_000);

test("in somebody's own app it takes their network, and breaks none of cdk-nag's rules there", () => {
  const app = newApp();
  const stack = new Stack(app, "Theirs");
  const vpc = new Vpc(stack, "Vpc", { maxAzs: 2, natGateways: 1 }) as IVpc;
  const first = new GitLabBurst(stack, "Ci", { vpc, functionsInVpc: true, builtFolder: dist });
  const second = new GitLabBurst(stack, "Ci2", { vpc, environment: "two", builtFolder: dist });
  Validations.of(vpc).acknowledge({ id: "AwsSolutions-VPC7", reason: "a network of a test" });
  const theirs = finish(app, stack);
  expect(first.jobRolePath).toBe("/gitlab-burst/default/");
  expect(second.alarms).toHaveLength(6);
  theirs.resourceCountIs("AWS::EC2::VPC", 1);
  theirs.hasResourceProperties("AWS::Lambda::Function", {
    FunctionName: "gitlab-burst-two-launcher",
    Environment: { Variables: { BURST_ASSIGN_PUBLIC_IP: "DISABLED" } },
  });
}, 90_000);

test("an architecture without an image is refused by name", () => {
  expect(() =>
    synthesize({
      architectures: ["arm64"],
      agentImage: { x86_64: "registry.example.com/agent:1" },
    }),
  ).toThrow("agentImage: has no address for arm64");
});

test("a missing build is told, with the command that makes it", () => {
  expect(() => findBundles(join(dist, "nowhere"))).toThrow("has not been built: run npm run build");
});
