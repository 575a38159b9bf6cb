// What an agent in a task gets to know: the job, its runner, what was said in its log already, and its grants.

import { taskFolders } from "../core/fargate-place.ts";
import type { Grants, HandOff } from "../core/hand-off.ts";
import type { LaunchPoint } from "../core/claim.ts";
import { portsToProbe } from "../core/services.ts";
import { shortToken } from "../core/short-token.ts";
import type { ServicePlan } from "../core/task-plan.ts";
import type { AdvanceDeps } from "./advance-deps.ts";
import type { ClaimedJob, Launchable } from "./claimed-job.ts";

export function makeHandOff(
  deps: AdvanceDeps,
  { id, claim }: ClaimedJob,
  launchable: Launchable,
  launch: LaunchPoint,
  { grants, notices }: { readonly grants: Grants; readonly notices: readonly string[] },
): HandOff {
  const { runner, plan } = launchable;
  const { settings } = runner;
  const ca = settings.tls_ca_certificate;
  const probes = plan.services.map(probeOf);
  return {
    version: 1,
    gitlab: { url: claim.url, systemId: claim.systemId, ...(ca === "" ? {} : { ca }) },
    runner: {
      name: settings.name || runner.name,
      shortToken: shortToken(runner.token.reveal()),
      version: deps.version,
      revision: "",
      shell: "sh",
      labels: settings.labels,
    },
    executor: "fargate",
    settings: runner.rawSettings,
    job: claim.body,
    claimedAt: claim.claimedAt,
    concurrentId: 0,
    concurrentProjectId: 0,
    folders: { ...taskFolders, cache: "/burst/cache", scratch: "/burst/agent" },
    task: {
      jobKey: id.jobKey,
      attempt: launch.attempt,
      launchedAt: deps.now(),
      trace: claim.trace,
      notices: [...notices, ...probes.flatMap(({ warnings }) => warnings)],
      jobContainer: plan.job.name,
      services: probes.map(({ service }) => service),
      hosts: plan.options.hosts.map(({ name, address }) => ({ name, address })),
      memoryMiB: plan.job.memoryMiB,
      logs: {
        region: deps.region,
        group: deps.environment.BURST_LOG_GROUP,
        streamPrefix: runner.name,
      },
      grants,
    },
  };
}

/** Which ports an image exposes is not to be seen from here: only what the job itself says can be asked. */
function probeOf({ name, requestedImage, hostnames, environment }: ServicePlan) {
  const entries = environment.map((entry) => [entry.name, entry.value.reveal()] as const);
  const probe = portsToProbe(entries, []);
  return {
    service: {
      container: name,
      name: requestedImage,
      hostnames: [...hostnames],
      ports: probe.kind === "ports" ? [...probe.ports] : [],
    },
    warnings: probe.kind === "ports" ? [] : [`Service ${requestedImage}: ${probe.message}`],
  };
}
