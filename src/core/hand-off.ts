// What passes between a launcher and its agent: the hand-off, one JSON text by a channel that only the agent
// can read; then, on one machine, a line of JSON for each thing that either has to tell the other.
// The two may be of different versions for the length of an upgrade.

import * as z from "zod";

/** A request that carries its own signature. As long as it is valid its address is a secret. */
export const presignedSchema = z.object({
  url: z.string(),
  /** Signed with the address: sent as they are. */
  headers: z.record(z.string(), z.string()).optional(),
});

/** All that an agent on AWS may do there, each by an address of its own: it has no credentials. */
export const grantsSchema = z.object({
  /** Milliseconds since the epoch; they end with the session that signed them. */
  signedAt: z.number(),
  /** PUT that only the first gets through (If-None-Match is signed): whoever does may run the job's script. */
  started: presignedSchema,
  /** GET of what `started` makes: whose it is, where the answer to a PUT was lost. */
  startedBy: presignedSchema.optional(),
  /** PUT of the agent's last report, before GitLab is told. */
  result: presignedSchema,
  /** GET of this very object, made anew from time to time while the job runs. */
  renewed: presignedSchema,
  /** By the object's name. */
  caches: z.record(
    z.string(),
    z.object({
      get: presignedSchema.optional(),
      head: presignedSchema.optional(),
      put: presignedSchema.optional(),
    }),
  ),
});

export type Grants = z.output<typeof grantsSchema>;

/** What an agent in a task on ECS has to know besides: nobody beside it tells it anything more. */
export const taskHandOffSchema = z.object({
  jobKey: z.string(),
  /** Counts the tasks of this job, from 1. */
  attempt: z.number().int(),
  /** Milliseconds since the epoch: when the task was asked for. The log tells where the start-up time went. */
  launchedAt: z.number().optional(),
  /** What GitLab's log of this job holds already: the agent goes on behind it. */
  trace: z.string(),
  /** For the section in which the executor is prepared. */
  notices: z.array(z.string()),
  /** Names of containers as in the task definition. */
  jobContainer: z.string(),
  services: z.array(
    z.object({
      container: z.string(),
      name: z.string(),
      hostnames: z.array(z.string()),
      /** TCP ports to ask; none: it cannot be asked. */
      ports: z.array(z.number().int()),
    }),
  ),
  /** Further names for /etc/hosts. */
  hosts: z.array(z.object({ name: z.string(), address: z.string() })),
  /** The job container's limit. */
  memoryMiB: z.number(),
  /** Where the log goes on AWS, for the link at its head; the stream is `<prefix>/<container>/<task id>`. */
  logs: z.object({ region: z.string(), group: z.string(), streamPrefix: z.string() }),
  grants: grantsSchema,
});

export type TaskHandOff = z.output<typeof taskHandOffSchema>;

export const handOffSchema = z.object({
  version: z.literal(1),
  gitlab: z.object({
    url: z.string(),
    systemId: z.string(),
    /** Extra certificate authorities, PEM. */
    ca: z.string().optional(),
  }),
  runner: z.object({
    name: z.string(),
    shortToken: z.string(),
    version: z.string(),
    revision: z.string(),
    /** Of the shell, for `info`. */
    shell: z.string(),
    labels: z.record(z.string(), z.string()),
  }),
  executor: z.enum(["process", "docker", "fargate"]),
  /** One runner's settings, already validated by the launcher. */
  settings: z.record(z.string(), z.unknown()),
  /** The body of GitLab's 201, as it came. */
  job: z.string(),
  /** Milliseconds since the epoch at which GitLab handed the job out: its time limit runs from there. */
  claimedAt: z.number(),
  concurrentId: z.number().int(),
  concurrentProjectId: z.number().int(),
  folders: z.object({
    /** FIFOs between the agent and boot. */
    control: z.string(),
    builds: z.string(),
    cache: z.string(),
    /** The agent's own, out of the job's sight where the executor can keep it so. */
    scratch: z.string(),
  }),
  /** Only for `fargate`. */
  task: taskHandOffSchema.optional(),
});

export type HandOff = z.output<typeof handOffSchema>;

/** What the launcher tells the agent after the hand-off: the containers' fate, which only it can see. */
export const launcherMessageSchema = z.discriminatedUnion("kind", [
  /** For the section in which the executor is prepared. */
  z.object({ kind: z.literal("notice"), level: z.enum(["line", "warning"]), text: z.string() }),
  /** All containers have been started: nothing more to say about that. */
  z.object({
    kind: z.literal("prepared"),
    services: z.array(
      z.object({
        name: z.string(),
        hostnames: z.array(z.string()),
        /** TCP ports that show whether it is up; none: it cannot be asked. */
        ports: z.array(z.number().int()),
      }),
    ),
  }),
  /** The job's container will not come; the launcher tells GitLab why. */
  z.object({ kind: z.literal("failed") }),
  /** A service's container has ended; `reason` is empty where it had done its work. */
  z.object({ kind: z.literal("service-ended"), hostname: z.string(), reason: z.string() }),
  /** Output of a service, asked for by CI_DEBUG_SERVICES. */
  z.object({ kind: z.literal("service-log"), name: z.string(), text: z.string() }),
  /** The kernel has taken a process of the job for want of memory. */
  z.object({ kind: z.literal("out-of-memory"), memoryMiB: z.number() }),
]);

export type LauncherMessage = z.output<typeof launcherMessageSchema>;

/** Environment variable of the agent's container on ECS: where the hand-off is to be fetched. */
export const handOffUrlVariable = "BURST_HAND_OFF_URL";

/** What the agent tells its launcher while it runs, by the reverse channel. */
export const agentReportSchema = z.discriminatedUnion("kind", [
  /** The first line of user script is about to run. */
  z.object({ kind: z.literal("started") }),
  /** The job is over; the final update follows. */
  z.object({
    kind: z.literal("result"),
    result: z.enum(["success", "failed", "canceled"]),
    failureReason: z.string().optional(),
    exitCode: z.number().int().optional(),
  }),
]);

export type AgentReport = z.output<typeof agentReportSchema>;

/** The fence: what the object holds that only one attempt of a job can make. */
export const startedSchema = z.object({
  attempt: z.number().int(),
  /** Of one agent: it knows its own where the answer to its PUT was lost. */
  nonce: z.string(),
});

export type Started = z.output<typeof startedSchema>;

/** What an agent on AWS leaves in the bucket before it tells GitLab: whoever finds it can tell it too. */
export const taskResultSchema = z.object({
  attempt: z.number().int(),
  kind: z.literal("result"),
  result: z.enum(["success", "failed", "canceled"]),
  failureReason: z.string().optional(),
  exitCode: z.number().int().optional(),
});

export type TaskResult = z.output<typeof taskResultSchema>;

/** The agent's exit codes: its protocol to whoever launched it. */
export const agentExit = {
  /** GitLab has confirmed the result, or wants none. */
  confirmed: 0,
  /** The agent could not do its work, or GitLab could not be reached with the result. */
  undelivered: 1,
  /**
   * The fence is not ours, or nobody could say that it is: nothing was run, GitLab was told nothing. A fence that
   * names this very attempt is void then (its answer came too late, or never): take it away and launch again.
   */
  fenceLost: 70,
  /** The job's container never started, or vanished. GitLab was not told: whoever launched it knows why. */
  containerGone: 71,
  /**
   * Told to stop (SIGTERM) before there was a result: GitLab has the log so far and no result. Whether the script had
   * begun, the fence tells; why we had to stop, and what follows from it, whoever launched it knows. On AWS only.
   */
  interrupted: 72,
} as const;

/** Marks a report among the lines that the agent writes to stderr; the others are diagnostics. */
export const reportMark = "report: ";
