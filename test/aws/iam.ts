// What IAM would say, for statements as our stack has them: Allow with wildcards and the few conditions that it uses.
// And what each call of ours asks of it: AWS wants more than one permission for some.

import type { AwsRequest } from "../fakes/request.ts";
import { account } from "./template.ts";
import type { Statement } from "./template.ts";

/** One permission that a call needs. */
export interface Need {
  /** `service:Action`. */
  readonly action: string;
  readonly resource: string;
  readonly context: Readonly<Record<string, string>>;
}

/** The statement that allows it; undefined: denied. */
export function allowedBy(statements: readonly Statement[], need: Need): Statement | undefined {
  const applies = (statement: Statement) =>
    statement.Action.some((pattern) => matches(pattern, need.action, true)) &&
    statement.Resource.some((pattern) => matches(pattern, need.resource)) &&
    conditionsHold(statement, need);
  if (statements.some((one) => one.Effect === "Deny" && applies(one))) return undefined;
  return statements.find((one) => one.Effect === "Allow" && applies(one));
}

function conditionsHold({ Condition = {} }: Statement, { context }: Need): boolean {
  return Object.entries(Condition).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => {
      const value = context[key];
      if (value === undefined) return false;
      switch (operator) {
        case "StringEquals":
          return wanted.includes(value);
        case "ArnEquals":
        case "ArnLike":
        case "StringLike":
          return wanted.some((pattern) => matches(pattern, value));
        default:
          throw new Error(`this evaluator does not know the condition ${operator}`);
      }
    }),
  );
}

function matches(pattern: string, text: string, anyCase = false): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, anyCase ? "is" : "s").test(text);
}

export interface Place {
  readonly region: string;
  readonly clusterArn: string;
  readonly executionRole: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** Everything that AWS would ask IAM about this call. */
export function needsOf(request: AwsRequest, place: Place): readonly Need[] {
  const body = (typeof request.body === "object" ? request.body : {}) as Fields | null;
  switch (request.service) {
    case "s3":
      return s3Needs(request);
    case "ecs":
      return ecsNeeds(request.action, body ?? {}, place);
    case "ssm":
      return ssmNeeds(request.action, body ?? {}, place);
    case "secretsmanager":
      return secretsNeeds(request.action, body ?? {}, place);
    case "lambda": {
      const name = request.resource.split(":").at(-1) ?? "";
      return [
        need("lambda:InvokeFunction", `arn:aws:lambda:${place.region}:${account}:function:${name}`),
      ];
    }
    default:
      return [need(`${request.service}:${request.action}`, request.resource)];
  }
}

function need(action: string, resource: string, context: Need["context"] = {}): Need {
  return { action, resource, context };
}

function s3Needs({ action, resource, body }: AwsRequest): readonly Need[] {
  const arn = `arn:aws:s3:::${resource.replace(/\/$/, "")}`;
  switch (action) {
    case "ListObjectsV2":
      return [need("s3:ListBucket", arn)];
    case "HeadObject":
      return [need("s3:GetObject", arn)];
    case "DeleteObjects": {
      const keys = String(body).matchAll(/<Key>([^<]*)<\/Key>/g);
      return [...keys].map(([, key = ""]) => need("s3:DeleteObject", `${arn}/${key}`));
    }
    default:
      return [need(`s3:${action}`, arn)];
  }
}

function ecsNeeds(action: string, body: Fields, place: Place): readonly Need[] {
  const arn = (kind: string, name: string) =>
    `arn:aws:ecs:${place.region}:${account}:${kind}/${name}`;
  const cluster = { "ecs:cluster": place.clusterArn };
  const toTasks = { "iam:PassedToService": "ecs-tasks.amazonaws.com" };
  const passed = (fields: Fields) =>
    [fields["executionRoleArn"], fields["taskRoleArn"]].flatMap((role) =>
      typeof role === "string" ? [need("iam:PassRole", role, toTasks)] : [],
    );
  switch (action) {
    case "RunTask": {
      const family = String(body["taskDefinition"]);
      const name = place.clusterArn.split("/").at(-1) ?? "";
      const tagged = Array.isArray(body["tags"]) && body["tags"].length > 0;
      return [
        need("ecs:RunTask", arn("task-definition", `${family}:1`), cluster),
        // Of the definition, and of the overrides.
        need("iam:PassRole", place.executionRole, toTasks),
        ...passed((body["overrides"] ?? {}) as Fields),
        ...(tagged
          ? [need("ecs:TagResource", arn("task", `${name}/0`), { "ecs:CreateAction": "RunTask" })]
          : []),
      ];
    }
    case "StopTask":
      return [need("ecs:StopTask", String(body["task"]), cluster)];
    case "DescribeTasks":
      return (body["tasks"] as string[]).map((task) => need("ecs:DescribeTasks", task, cluster));
    case "ListTasks":
      return [need("ecs:ListTasks", "*", cluster)];
    case "RegisterTaskDefinition":
      return [need("ecs:RegisterTaskDefinition", "*"), ...passed(body)];
    default:
      return [need(`ecs:${action}`, "*")];
  }
}

function ssmNeeds(action: string, body: Fields, { region }: Place): readonly Need[] {
  const arn = (name: string) => `arn:aws:ssm:${region}:${account}:parameter${name}`;
  if (action === "GetParametersByPath") {
    return [need("ssm:GetParametersByPath", arn(String(body["Path"])))];
  }
  const names = (body["Names"] ?? [body["Name"]]) as string[];
  return names.flatMap((name) => [
    need(`ssm:${action}`, arn(name)),
    ...(body["WithDecryption"] === true
      ? [
          need("kms:Decrypt", `arn:aws:kms:${region}:${account}:key/0`, {
            "kms:ViaService": `ssm.${region}.amazonaws.com`,
            "kms:EncryptionContext:PARAMETER_ARN": arn(name),
          }),
        ]
      : []),
  ]);
}

function secretsNeeds(action: string, body: Fields, { region }: Place): readonly Need[] {
  if (action === "ListSecrets") return [need("secretsmanager:ListSecrets", "*")];
  const name = String(body["SecretId"] ?? body["Name"]);
  const arn = `arn:aws:secretsmanager:${region}:${account}:secret:${name}-AbCdEf`;
  const tagged = Array.isArray(body["Tags"]) && body["Tags"].length > 0;
  return [
    need(`secretsmanager:${action}`, arn),
    ...(tagged ? [need("secretsmanager:TagResource", arn)] : []),
  ];
}
