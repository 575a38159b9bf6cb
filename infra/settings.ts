// Settings of a deployment, from the context of the CDK app: cdk.json has them by environment under `gitlab-burst`,
// and `-c env=NAME` chooses one. What can change without a deployment is not here but in Parameter Store.

import type { Node } from "constructs";
import * as z from "zod";
import { environmentNameRule, isEnvironmentName } from "../src/core/environment-name.ts";
import { SettingsError } from "../src/core/errors.ts";
import { nearestName } from "../src/core/nearest-name.ts";
import { architectures } from "../src/core/settings-task.ts";

/** The key of cdk.json's context. */
export const contextKey = "gitlab-burst";

/** What CloudWatch Logs can keep logs for; 0 for ever. */
export const retentionDays = [
  0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
  3288, 3653,
] as const;

const id = (kind: string, example: string) =>
  z
    .string()
    .regex(new RegExp(`^${kind}-[0-9a-f]{8,17}$`), { error: `expected an id like ${example}` });
const ids = (kind: string, example: string) =>
  z.array(id(kind, example)).min(1, { error: "expected one at least, or leave the key out" });
const arn = (pattern: RegExp, example: string) =>
  z.string().regex(pattern, { error: `expected an ARN like ${example}` });
const kmsKey = arn(
  /^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key\/(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/,
  "arn:aws:kms:eu-west-1:111122223333:key/0123abcd-01ab-01ab-01ab-0123456789ab",
);
const policy = arn(
  /^arn:[a-z-]+:iam::(\d{12}|aws):policy\/\S+$/,
  "arn:aws:iam::111122223333:policy/boundary",
);
const subnets = ids("subnet", "subnet-0123456789abcdef0");
const groups = ids("sg", "sg-0123456789abcdef0");
const image = z.string().regex(/^\S+[:@]\S+$/, {
  error: "expected the address of an image with its tag or digest",
});
const whole = z.int({ error: "expected a whole number of days" }).min(1).max(3650);

export const deploymentSchema = z.strictObject({
  /** Begins the names of all that has one. */
  namePrefix: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,39}$/, {
      error: "expected 1 to 40 small letters, digits and dashes, a letter first",
    })
    .optional(),
  /** An existing network for the tasks. */
  network: z
    .strictObject({
      vpcId: id("vpc", "vpc-0123456789abcdef0"),
      subnetIds: subnets,
      securityGroupIds: groups.optional(),
      /** Yes for public subnets, no for those with a NAT. */
      assignPublicIp: z.boolean(),
      /** Puts the functions into the network as well, in subnets with a NAT. */
      functions: z
        .strictObject({ subnetIds: subnets, securityGroupIds: groups.optional() })
        .optional(),
    })
    .optional(),
  /** Processors that jobs may use: the agent's image is built for each. */
  architectures: z.array(z.enum(architectures)).min(1).optional(),
  /** The agent's image by address, instead of building it. */
  agentImage: z
    .union([image, z.strictObject({ x86_64: image.optional(), arm64: image.optional() })], {
      error:
        "expected the address of an image with its tag or digest, or a map of such by x86_64 and arm64",
    })
    .optional(),
  logRetentionDays: z
    .literal(retentionDays, { error: `expected one of ${retentionDays.join(", ")}` })
    .optional(),
  cacheDays: whole.optional(),
  kmsKeyArn: kmsKey.optional(),
  permissionsBoundaryArn: policy.optional(),
  alarmAddress: z.email({ error: "expected an e-mail address" }).optional(),
  dashboard: z.boolean().optional(),
  tags: z
    .record(z.string().min(1).max(128), z.string().max(256))
    .refine((tags) => !Object.keys(tags).some(isTaken), {
      error: `expected other keys: ${contextKey} says whose the stack is, and aws:… are AWS's own`,
    })
    .optional(),
});

function isTaken(key: string): boolean {
  return key === contextKey || key.toLowerCase().startsWith("aws:");
}

export type Deployment = z.output<typeof deploymentSchema> & { readonly environment: string };

export const environmentRule = {
  check(environment: unknown, where = "environment"): string {
    if (isEnvironmentName(environment)) return environment;
    throw new SettingsError(`${where}=${String(environment)}: ${environmentNameRule}`);
  },
};

/** Throws a SettingsError with a line for every mistake. */
export function readDeployment(node: Node): Deployment {
  return parseDeployment(node.tryGetContext("env"), node.tryGetContext(contextKey));
}

/** Mistakes in settings are told in their own words, without a stack. */
export function reportMistakes(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

export function parseDeployment(env: unknown, context: unknown): Deployment {
  const environment = environmentRule.check(env ?? "default", "-c env");
  const all = environmentsOf(context);
  const names = Object.keys(all);
  if (names.length > 0 && environment !== "default" && !names.includes(environment)) {
    const known = `cdk.json has settings for ${names.join(", ")}`;
    throw new SettingsError(
      `-c env=${environment}: context ${contextKey} has no such key; ${known}`,
    );
  }
  const parsed = deploymentSchema.safeParse(all[environment] ?? {});
  if (parsed.success) return { ...parsed.data, environment };
  const where = `cdk.json: context ${contextKey}.${environment}`;
  throw new SettingsError(parsed.error.issues.flatMap((issue) => lines(issue, where)).join("\n"));
}

/** By name. As text it comes from the command line: -c gitlab-burst='{"prod": {…}}'. */
function environmentsOf(context: unknown): Readonly<Record<string, unknown>> {
  let value = context ?? {};
  if (typeof value === "string") {
    try {
      value = JSON.parse(value);
    } catch (cause) {
      throw new SettingsError(`context ${contextKey}: expected JSON`, { cause });
    }
  }
  const parsed = z.record(z.string(), z.unknown()).safeParse(value);
  if (parsed.success) return parsed.data;
  throw new SettingsError(
    `cdk.json: context ${contextKey}: expected a map from environments (default, prod) to settings`,
  );
}

function lines(issue: z.core.$ZodIssue, where: string): string[] {
  const at = [where, ...issue.path.map(String)].join(".");
  if (issue.code !== "unrecognized_keys") return [`${at}: ${issue.message}`];
  return issue.keys.map((key) => {
    const nearest = nearestName(key, Object.keys(shapeAt(issue.path)));
    return `${at}.${key}: unknown key${nearest === undefined ? "" : `; did you mean ${nearest}?`}`;
  });
}

function shapeAt(path: readonly PropertyKey[]): Readonly<Record<string, unknown>> {
  const { network } = deploymentSchema.shape;
  if (path.length === 0) return deploymentSchema.shape;
  if (path[0] !== "network") return { x86_64: "", arm64: "" };
  const { shape } = network.unwrap();
  return path.length === 1 ? shape : shape.functions.unwrap().shape;
}
