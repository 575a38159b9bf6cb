// One of our functions: its code as the build made it, a log group and a role of its own.

import { Duration, RemovalPolicy } from "aws-cdk-lib";
import { Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Architecture, Code, Function, LoggingFormat, Runtime } from "aws-cdk-lib/aws-lambda";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import type { RetentionDays } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import type { FunctionVariables } from "../src/core/function-environment.ts";
import { grant } from "./grant.ts";
import type { Permission } from "./grant.ts";
import type { FunctionPlace } from "./network.ts";

export interface BurstFunctionProps {
  readonly functionName: string;
  readonly description: string;
  readonly code: string;
  readonly memoryMiB: number;
  readonly timeoutSeconds: number;
  readonly variables: FunctionVariables;
  readonly permissions: readonly Permission[];
  readonly place: FunctionPlace | undefined;
  readonly logRetention: RetentionDays;
  readonly encryptionKey: IKey | undefined;
}

export class BurstFunction extends Construct {
  readonly function: Function;
  readonly logGroup: LogGroup;
  readonly role: Role;

  constructor(scope: Construct, id: string, props: BurstFunctionProps) {
    super(scope, id);
    // Goes with the stack: what jobs said is in another group.
    this.logGroup = new LogGroup(this, "Logs", {
      logGroupName: `/aws/lambda/${props.functionName}`,
      retention: props.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
      ...(props.encryptionKey && { encryptionKey: props.encryptionKey }),
    });
    this.role = new Role(this, "Role", {
      description: props.description,
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
    });
    grant(this.role, [...this.ownPermissions(props.place), ...props.permissions]);
    this.function = new Function(this, "Function", {
      functionName: props.functionName,
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: "index.handler",
      code: Code.fromAsset(props.code),
      memorySize: props.memoryMiB,
      timeout: Duration.seconds(props.timeoutSeconds),
      environment: { ...props.variables },
      role: this.role,
      logGroup: this.logGroup,
      loggingFormat: LoggingFormat.TEXT,
      ...props.place,
    });
  }

  private ownPermissions(place: FunctionPlace | undefined): Permission[] {
    const logs: Permission = {
      actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
      resources: [this.logGroup.logGroupArn],
      wide: "a stream for every instance of the function, in its own group",
    };
    if (place === undefined) return [logs];
    const network: Permission = {
      actions: [
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
      ],
      resources: ["*"],
      wide: "what Lambda itself needs to put a function into a network: AWSLambdaVPCAccessExecutionRole, without its logs",
    };
    return [logs, network];
  }
}
