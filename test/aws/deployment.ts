// What a stack has made and tells its functions: read from moto after `cdk deploy`, or made by hand in a second, for
// tests that are not about the stack.

import { CloudWatchLogsClient, CreateLogGroupCommand } from "@aws-sdk/client-cloudwatch-logs";
import { GetFunctionConfigurationCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { functionNames } from "../../infra/bundles.ts";
import type { FunctionName } from "../../infra/bundles.ts";
import type { FunctionVariables } from "../../src/core/function-environment.ts";

export interface Deployment {
  readonly region: string;
  readonly variables: FunctionVariables;
  readonly functions: Readonly<Record<FunctionName, DeployedFunction>>;
}

export interface DeployedFunction {
  /** On AWS. */
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly memoryMiB: number;
}

export interface Account {
  readonly endpoint: string;
  readonly region: string;
}

const credentials = { accessKeyId: "STACK", secretAccessKey: "nothing" };
const prefix = "gitlab-burst-default";

/** By the names that the stack gives. Buckets and the jobs' log group are made. */
export async function makeByHand(
  account: Account,
  agentImage: string,
  name: string,
): Promise<Deployment> {
  const { region } = account;
  const variables: FunctionVariables = {
    BURST_ENVIRONMENT: "default",
    BURST_PARAMETERS: "/gitlab-burst/default",
    BURST_NAME_PREFIX: prefix,
    BURST_CLUSTER: prefix,
    BURST_SUBNETS: "subnet-1,subnet-2",
    BURST_SECURITY_GROUPS: "sg-1",
    BURST_ASSIGN_PUBLIC_IP: "ENABLED",
    BURST_STATE_BUCKET: `${name}-state`,
    BURST_CACHE_BUCKET: `${name}-cache`,
    BURST_LOG_GROUP: `/${prefix}/jobs`,
    BURST_EXECUTION_ROLE: "arn:aws:iam::123456789012:role/execution",
    BURST_AGENT_IMAGES: JSON.stringify({ x86_64: agentImage }),
    BURST_LAUNCHER: `${prefix}-launcher`,
    BURST_KMS_KEY: "",
  };
  const settings = { ...account, credentials };
  const s3 = new S3Client({ ...settings, forcePathStyle: true });
  const where =
    region === "us-east-1"
      ? {}
      : { CreateBucketConfiguration: { LocationConstraint: region as "eu-central-1" } };
  for (const Bucket of [variables.BURST_STATE_BUCKET, variables.BURST_CACHE_BUCKET]) {
    await s3.send(new CreateBucketCommand({ Bucket, ...where }));
  }
  const logs = new CloudWatchLogsClient(settings);
  await logs.send(new CreateLogGroupCommand({ logGroupName: variables.BURST_LOG_GROUP }));
  const deployed = (fn: FunctionName, timeoutSeconds: number): DeployedFunction => ({
    name: `${prefix}-${fn}`,
    environment: variables,
    timeoutSeconds,
    memoryMiB: 256,
  });
  return {
    region,
    variables,
    functions: {
      poller: deployed("poller", 900),
      launcher: deployed("launcher", 60),
      reaper: deployed("reaper", 60),
      sweeper: deployed("sweeper", 300),
    },
  };
}

/** What `cdk deploy` has left in moto. */
export async function readDeployed(account: Account): Promise<Deployment> {
  const lambda = new LambdaClient({ ...account, credentials });
  const found = await Promise.all(
    functionNames.map(async (fn): Promise<[FunctionName, DeployedFunction]> => {
      const name = `${prefix}-${fn}`;
      const answer = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
      return [
        fn,
        {
          name,
          environment: answer.Environment?.Variables ?? {},
          timeoutSeconds: answer.Timeout ?? 3,
          memoryMiB: answer.MemorySize ?? 128,
        },
      ];
    }),
  );
  const functions = Object.fromEntries(found) as Record<FunctionName, DeployedFunction>;
  const variables = functions.poller.environment as FunctionVariables;
  return { region: account.region, variables, functions };
}
