// What is to be seen of a task on ECS, and what its API answers: in our words, from DescribeTasks as from an event.

export interface TaskState {
  readonly taskArn: string;
  /** A claim's id, where we started it. */
  readonly startedBy: string;
  /** PROVISIONING, PENDING, ACTIVATING, RUNNING, DEACTIVATING, STOPPING, DEPROVISIONING, STOPPED. */
  readonly lastStatus: string;
  readonly desiredStatus: string;
  /** Also ones that are not known yet. */
  readonly stopCode: string;
  readonly stoppedReason: string;
  readonly containers: readonly ContainerState[];
  readonly capacityProvider: string;
  /** Milliseconds since the epoch; undefined: not yet. */
  readonly createdAt: number | undefined;
  readonly pullStartedAt: number | undefined;
  readonly pullStoppedAt: number | undefined;
  readonly startedAt: number | undefined;
  readonly stoppedAt: number | undefined;
  /** Orders the events of one task. */
  readonly version: number;
}

export interface ContainerState {
  readonly name: string;
  readonly lastStatus: string;
  /** undefined where it never ran. */
  readonly exitCode: number | undefined;
  readonly reason: string;
}

/** What RunTask answered. */
export type RunReply =
  | { readonly kind: "launched"; readonly taskArn: string }
  /** ECS does not know the family (or its revision): register it, and ask again. */
  | { readonly kind: "unknown-definition" }
  /** Nothing was started, and the same may be asked again later. */
  | { readonly kind: "throttled"; readonly message: string }
  | { readonly kind: "no-capacity"; readonly message: string }
  /** The account's vCPU quota is used up. */
  | { readonly kind: "quota"; readonly message: string }
  /** The subnet has no address left. */
  | { readonly kind: "no-address"; readonly message: string }
  /** Nothing was started, and asking again will not help. */
  | { readonly kind: "refused"; readonly message: string }
  /** No answer, or one that does not say whether a task was started: repeat it byte for byte. */
  | { readonly kind: "unknown"; readonly message: string };

export type RegisterReply =
  | { readonly kind: "registered" }
  | { readonly kind: "throttled"; readonly message: string }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "unknown"; readonly message: string };
