// A probe as the product's plan of a task, so that definition and start are made by the product's own functions.

import type { Architecture } from "../../src/core/settings-task.ts";
import type { ContainerPlan, ContainersPlan, ServicePlan } from "../../src/core/task-plan.ts";
import { probeImages, probeSize } from "./probe-spec.ts";
import type { ProbeSpec } from "./probe-spec.ts";

export function probePlan(spec: ProbeSpec, architecture: Architecture): ContainersPlan {
  const { job, jobMemoryMiB = 512, echoService = false } = spec;
  return {
    jobId: 0,
    timeoutSeconds: 300,
    prepareTimeoutSeconds: 300,
    getSourcesTimeoutSeconds: 300,
    caches: [],
    labels: { proof: "gitlab-burst", ...spec.tags },
    executor: "fargate",
    agent: { name: "agent", image: probeImages.agent, memoryMiB: 256 },
    job: container({
      name: "job",
      image: job.image,
      user: job.user ?? "",
      memoryMiB: jobMemoryMiB,
    }),
    // With the job's limit it has more than the task.
    services: echoService ? [echo(jobMemoryMiB)] : [],
    waitForServicesSeconds: undefined,
    debugServices: echoService,
    size: probeSize,
    diskGiB: spec.diskGiB ?? 20,
    architecture,
    capacity: spec.capacity ?? "on-demand",
    rerunOnLoss: false,
    roleArn: undefined,
    options: { sysctls: {}, ulimits: [], capAdd: [], capDrop: [], hosts: [] },
    docker: undefined,
  };
}

/** Its image has a CMD, which would follow. */
function echo(memoryMiB: number): ServicePlan {
  return {
    ...container({ name: "echo", image: probeImages.small, user: "", memoryMiB }),
    entrypoint: ["echo", "called-with:"],
    hostnames: ["echo"],
  };
}

function container(
  own: Pick<ContainerPlan, "name" | "image" | "user" | "memoryMiB">,
): ContainerPlan {
  return {
    ...own,
    requestedImage: own.image,
    entrypoint: undefined,
    command: undefined,
    platform: "",
    pullPolicies: ["always"],
    login: undefined,
    environment: [],
    cpuUnits: 0,
    memoryReservationMiB: 0,
  };
}
