// A task definition and a launch in ECS's own words (the fields of RegisterTaskDefinition and RunTask that we use).
// Plain data: it is decided here, recorded in the claim, and sent by src/aws/tasks.ts.

/** Resources that ECS can limit for a container. */
export const ulimitNames = [
  "core",
  "cpu",
  "data",
  "fsize",
  "locks",
  "memlock",
  "msgqueue",
  "nice",
  "nofile",
  "nproc",
  "rss",
  "rtprio",
  "rttime",
  "sigpending",
  "stack",
] as const;
export type UlimitName = (typeof ulimitNames)[number];

export interface TaskDefinition {
  readonly family: string;
  readonly networkMode: "awsvpc";
  readonly requiresCompatibilities: readonly ["FARGATE"];
  readonly cpu: string;
  readonly memory: string;
  readonly executionRoleArn: string;
  readonly runtimePlatform: {
    readonly cpuArchitecture: "X86_64" | "ARM64";
    readonly operatingSystemFamily: "LINUX";
  };
  readonly volumes: readonly { readonly name: string }[];
  readonly containerDefinitions: readonly ContainerDefinition[];
}

export interface ContainerDefinition {
  readonly name: string;
  readonly image: string;
  readonly essential: boolean;
  readonly entryPoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: readonly { readonly name: string; readonly value: string }[];
  readonly user?: string;
  readonly stopTimeout: number;
  readonly versionConsistency?: "disabled";
  readonly memory?: number;
  readonly mountPoints: readonly {
    readonly sourceVolume: string;
    readonly containerPath: string;
    readonly readOnly: boolean;
  }[];
  readonly repositoryCredentials?: { readonly credentialsParameter: string };
  readonly logConfiguration?: {
    readonly logDriver: "awslogs";
    readonly options: Readonly<Record<string, string>>;
  };
  readonly systemControls?: readonly { readonly namespace: string; readonly value: string }[];
  readonly ulimits?: readonly {
    readonly name: UlimitName;
    readonly softLimit: number;
    readonly hardLimit: number;
  }[];
  readonly linuxParameters?: {
    readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
    readonly initProcessEnabled?: boolean;
  };
  readonly dockerLabels?: Readonly<Record<string, string>>;
}

/** The input of RunTask: the same for one launch point, however often it is sent. */
export interface RunTaskRequest {
  readonly cluster: string;
  /** The family: ECS takes its newest revision. */
  readonly taskDefinition: string;
  readonly clientToken: string;
  readonly startedBy: string;
  readonly count: 1;
  readonly platformVersion: "1.4.0";
  readonly capacityProviderStrategy?: readonly {
    readonly capacityProvider: "FARGATE" | "FARGATE_SPOT";
    readonly weight: 1;
  }[];
  readonly launchType?: "FARGATE";
  readonly networkConfiguration: {
    readonly awsvpcConfiguration: {
      readonly subnets: readonly string[];
      readonly securityGroups: readonly string[];
      readonly assignPublicIp: "ENABLED" | "DISABLED";
    };
  };
  readonly overrides: TaskOverride;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  readonly enableECSManagedTags: boolean;
}

export interface TaskOverride {
  readonly cpu: string;
  readonly memory: string;
  readonly ephemeralStorage?: { readonly sizeInGiB: number };
  readonly taskRoleArn?: string;
  readonly containerOverrides: readonly ContainerOverride[];
}

export interface ContainerOverride {
  readonly name: string;
  readonly command?: readonly string[];
  readonly environment?: readonly { readonly name: string; readonly value: string }[];
  readonly environmentFiles?: readonly { readonly type: "s3"; readonly value: string }[];
  readonly cpu?: number;
  readonly memory?: number;
  readonly memoryReservation?: number;
}
