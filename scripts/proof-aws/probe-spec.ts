// The tasks that the proof starts, and what they cost: small ones, each for one question or for several that one task
// can answer. They are made by the product's own definitions; only their contents are the proof's.

import { leaveAfterJob, listen, meet, waitForJob, waitForTerm } from "./agent-scripts.ts";
import { allocate, appear, speak } from "./job-scripts.ts";

export interface ProbeSpec {
  /** Program of the agent's container, for `node -e`; undefined: the product's own agent. */
  readonly agent: string | undefined;
  readonly job: { readonly image: string; readonly script: string; readonly user?: string };
  readonly jobMemoryMiB?: number;
  /** A service that says how it was called. */
  readonly echoService?: boolean;
  /** A wrong login for the job's image, kept in Secrets Manager. */
  readonly wrongLogin?: boolean;
  readonly capacity?: "spot";
  readonly diskGiB?: number;
  readonly tags?: Readonly<Record<string, string>>;
  /** Asked to stop as soon as its agent has said something. */
  readonly stopped?: boolean;
}

const library = "public.ecr.aws/docker/library";
export const probeImages = {
  agent: `${library}/node:24-alpine`,
  small: `${library}/alpine:3.22`,
  medium: `${library}/python:3.13-slim`,
  large: `${library}/python:3.13`,
} as const;

export const probeNames = [
  "meeting",
  "agent",
  "bad-pull",
  "wrong-login",
  "out-of-memory",
  "stopped",
  "spot",
  "small",
  "medium",
  "large",
] as const;
export type ProbeName = (typeof probeNames)[number];

/** Every kind of character that we let through, and some that are replaced. */
export const probeTags = {
  project: "grüppe/projekt_1.x",
  ref: "feature/#12 [wip]: größer = besser + mehr @home",
  job_name: "テスト 1/2",
} as const;

export const probeSpecs: Readonly<Record<ProbeName, ProbeSpec>> = {
  meeting: {
    agent: meet,
    job: { image: probeImages.large, script: speak, user: "1000" },
    jobMemoryMiB: 900,
    echoService: true,
    diskGiB: 25,
    tags: probeTags,
  },
  agent: { agent: undefined, job: { image: probeImages.small, script: appear } },
  "bad-pull": {
    agent: waitForJob,
    job: { image: `${library}/alpine:there-is-no-such-tag`, script: appear },
  },
  "wrong-login": {
    agent: waitForJob,
    job: { image: "docker.io/library/alpine:3.22", script: appear },
    wrongLogin: true,
  },
  "out-of-memory": {
    agent: waitForJob,
    job: { image: probeImages.small, script: allocate },
    jobMemoryMiB: 128,
  },
  stopped: { agent: waitForTerm, job: { image: probeImages.small, script: listen }, stopped: true },
  spot: {
    agent: leaveAfterJob,
    job: { image: probeImages.small, script: appear },
    capacity: "spot",
  },
  small: { agent: leaveAfterJob, job: { image: probeImages.small, script: appear } },
  medium: { agent: leaveAfterJob, job: { image: probeImages.medium, script: appear } },
  large: { agent: leaveAfterJob, job: { image: probeImages.large, script: appear } },
};

/** Of every probe's task: more than its definition says, which is 0.25 vCPU and 512 MB. */
export const probeSize = { cpuUnits: 512, memoryMiB: 1024 } as const;

/** Minutes that a task is expected to be paid for; it never lives longer than five. */
const expectedMinutes = 3;
const dollarsPerHour = { vcpu: 0.040_48, gigabyte: 0.004_445, address: 0.005 };

/** In us-east-1, on demand, with a public address each. */
export function expectedDollars(probes: number): number {
  const { vcpu, gigabyte, address } = dollarsPerHour;
  const hour =
    (probeSize.cpuUnits / 1024) * vcpu + (probeSize.memoryMiB / 1024) * gigabyte + address;
  return (probes * expectedMinutes * hour) / 60;
}
