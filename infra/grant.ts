// Permissions, each with the reason for what is wide about it: the same text acknowledges it to cdk-nag, here and in
// an app that uses the construct.

import { Stack, Validations } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Role } from "aws-cdk-lib/aws-iam";

export interface Permission {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: Readonly<Record<string, unknown>>;
  /** Why a resource has a star. Must be there where one has. */
  readonly wide?: string;
}

export function grant(role: Role, permissions: readonly Permission[]): void {
  for (const { actions, resources, conditions, wide } of permissions) {
    role.addToPolicy(
      new PolicyStatement({
        actions: [...actions],
        resources: [...resources],
        ...(conditions && { conditions: { ...conditions } }),
      }),
    );
    if (wide === undefined) continue;
    for (const resource of resources) {
      acknowledgeWide(role, resource, `${actions.join(", ")}: ${wide}`);
    }
  }
}

/** Says why a resource of the role's permissions has a star, if it has one. */
export function acknowledgeWide(role: Role, resource: string, reason: string): void {
  const flat = flatten(Stack.of(role).resolve(resource));
  if (!flat.includes("*")) return;
  Validations.of(role).acknowledge({ id: `AwsSolutions-IAM5[Resource::${flat}]`, reason });
}

/** A resolved ARN as cdk-nag names it: references in angle brackets. */
function flatten(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return "";
  if ("Fn::Join" in value && Array.isArray(value["Fn::Join"])) {
    const [separator, parts] = value["Fn::Join"];
    return Array.isArray(parts) ? parts.map(flatten).join(String(separator)) : "";
  }
  if ("Fn::GetAtt" in value && Array.isArray(value["Fn::GetAtt"])) {
    return `<${value["Fn::GetAtt"].map(String).join(".")}>`;
  }
  if ("Ref" in value) return `<${String(value.Ref)}>`;
  return JSON.stringify(value);
}

/** A key is often shared: with it nothing is opened but what lies in buckets and secrets. */
export function throughServices({ region, urlSuffix }: Stack) {
  const services = ["s3", "secretsmanager"].map((service) => `${service}.${region}.${urlSuffix}`);
  return { StringEquals: { "kms:ViaService": services } };
}
