// What the platform does for a task with its execution role, through the front, under an access key of its own:
// environment files, registry logins, log streams.

import {
  CloudWatchLogsClient,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";

export const executionRoleKey = "ASIAEXECUTIONROLE";

export interface ExecutionRole {
  /** Variables of a file named by its ARN. */
  environmentFile(arn: string): Promise<Readonly<Record<string, string>>>;
  login(secret: string): Promise<{ readonly username: string; readonly password: string }>;
  createLogStream(group: string, stream: string): Promise<void>;
  putLogEvents(group: string, stream: string, events: readonly LogEvent[]): Promise<void>;
  close(): void;
}

export interface LogEvent {
  readonly timestamp: number;
  readonly message: string;
}

export function createExecutionRole(endpoint: () => string, region: string): ExecutionRole {
  const configuration = () => ({
    endpoint: endpoint(),
    region,
    credentials: { accessKeyId: executionRoleKey, secretAccessKey: "nothing" },
  });
  let clients:
    | { s3: S3Client; secrets: SecretsManagerClient; logs: CloudWatchLogsClient }
    | undefined;
  const made = () =>
    (clients ??= {
      s3: new S3Client({ ...configuration(), forcePathStyle: true }),
      secrets: new SecretsManagerClient(configuration()),
      logs: new CloudWatchLogsClient(configuration()),
    });
  return {
    async environmentFile(arn) {
      const [, Bucket = "", Key = ""] = /^arn:aws[\w-]*:s3:::([^/]+)\/(.+)$/.exec(arn) ?? [];
      const { Body } = await made().s3.send(new GetObjectCommand({ Bucket, Key }));
      return readEnvironment((await Body?.transformToString()) ?? "");
    },
    async login(SecretId) {
      const { SecretString = "" } = await made().secrets.send(
        new GetSecretValueCommand({ SecretId }),
      );
      const { username, password } = JSON.parse(SecretString) as Record<string, string>;
      return { username: username ?? "", password: password ?? "" };
    },
    async createLogStream(logGroupName, logStreamName) {
      await made().logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
    },
    async putLogEvents(logGroupName, logStreamName, logEvents) {
      await made().logs.send(
        new PutLogEventsCommand({ logGroupName, logStreamName, logEvents: [...logEvents] }),
      );
    },
    close() {
      clients?.s3.destroy();
      clients?.secrets.destroy();
      clients?.logs.destroy();
    },
  };
}

/** NAME=VALUE a line, as it stands: no quotes, no interpolation; # begins a comment. */
export function readEnvironment(text: string): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const at = line.indexOf("=");
    if (line.startsWith("#") || at < 1) continue;
    variables[line.slice(0, at)] = line.slice(at + 1).replace(/\r$/, "");
  }
  return variables;
}
