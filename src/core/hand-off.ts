// What passes between a launcher and its agent: the hand-off, one JSON text by a channel that only the agent
// can read; then, on one machine, a line of JSON for each thing that either has to tell the other.
// The two may be of different versions for the length of an upgrade.

import * as z from "zod";

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
  executor: z.enum(["process", "docker"]),
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

/** The agent's exit codes: its protocol to whoever launched it. */
export const agentExit = {
  /** GitLab has confirmed the result, or wants none. */
  confirmed: 0,
  /** The agent could not do its work, or GitLab could not be reached with the result. */
  undelivered: 1,
  /** Another attempt of this job has begun: nothing was run. */
  fenceLost: 70,
  /** The job's container never started, or vanished. */
  containerGone: 71,
} as const;

/** Marks a report among the lines that the agent writes to stderr; the others are diagnostics. */
export const reportMark = "report: ";
