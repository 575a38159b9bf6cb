// A job's plan: everything an executor has to know to run it. docker and Fargate get the same one, so what
// passes on the one passes on the other.

import type { CacheAddress } from "./cache.ts";
import type { ContainerExecutor } from "./image-unrunnable.ts";
import type { ContainerOptions, DockerOptions } from "./plan-options.ts";
import type { RegistryLogin } from "./registry-login.ts";
import type { EnvironmentEntry } from "./services.ts";
import type { PullPolicy } from "./settings-container.ts";
import type { Architecture, Capacity } from "./settings-task.ts";
import type { Size } from "./size.ts";

export type TaskPlan = ProcessPlan | ContainersPlan;

export interface EveryPlan {
  readonly jobId: number;
  /** The job's own, counted from its claim. */
  readonly timeoutSeconds: number;
  readonly prepareTimeoutSeconds: number;
  readonly getSourcesTimeoutSeconds: number;
  readonly caches: readonly CacheAddress[];
  /** Whose job this is, for labels and cost reports; as they are, not yet made safe for any service. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface ProcessPlan extends EveryPlan {
  readonly executor: "process";
  /** What the job asks for and a process does not have. */
  readonly ignored: readonly Ignored[];
}

export interface Ignored {
  readonly kind: "image" | "service" | "variable";
  readonly name: string;
}

/** The agent's container, in every task. */
export const agentContainer = "agent";

export interface ContainersPlan extends EveryPlan {
  readonly executor: ContainerExecutor;
  /** Beside the job: clones, keeps caches and artifacts, tells GitLab. */
  readonly agent: { readonly name: string; readonly image: string; readonly memoryMiB: number };
  /** Runs the boot script, which the executor gives it as its command. */
  readonly job: ContainerPlan;
  readonly services: readonly ServicePlan[];
  /** How long services may take to listen; undefined: nobody waits. */
  readonly waitForServicesSeconds: number | undefined;
  /** CI_DEBUG_SERVICES: their output goes into the job's log. */
  readonly debugServices: boolean;
  /** Of the task as a whole; on Fargate a legal pair. */
  readonly size: Size;
  /** 20 come with every Fargate task and cannot be asked for by name. */
  readonly diskGiB: number;
  /** undefined: the machine's own. */
  readonly architecture: Architecture | undefined;
  readonly capacity: Capacity;
  /** Whether the job may be run again though its script had begun. */
  readonly rerunOnLoss: boolean;
  /** ARN of the role that the job's script gets, if any. */
  readonly roleArn: string | undefined;
  readonly options: ContainerOptions;
  readonly docker: DockerOptions | undefined;
}

export interface ContainerPlan {
  /** Unique in the task; letters, digits, - and _. */
  readonly name: string;
  /** To be pulled. */
  readonly image: string;
  /** As the job has it. */
  readonly requestedImage: string;
  /** undefined: the image's own; empty: none. */
  readonly entrypoint: readonly string[] | undefined;
  /** undefined: the image's own. */
  readonly command: readonly string[] | undefined;
  /** "": the image's own. */
  readonly user: string;
  /** "": the machine's own. */
  readonly platform: string;
  /** To be tried in this order. */
  readonly pullPolicies: readonly PullPolicy[];
  readonly login: RegistryLogin | undefined;
  /** A job's own variables are not here: its boot script sets them. */
  readonly environment: readonly EnvironmentEntry[];
  /** 0: as much as the task has. */
  readonly cpuUnits: number;
  readonly memoryMiB: number;
  /** 0: nothing is kept free. */
  readonly memoryReservationMiB: number;
}

export interface ServicePlan extends ContainerPlan {
  readonly hostnames: readonly string[];
}
