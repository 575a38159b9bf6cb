// The plan of a job in containers: its checks in order, then the task put together from what they gave.

import { shapeTask } from "./burst-variables.ts";
import type { TaskShape } from "./burst-variables.ts";
import { parseBool } from "./go-bool.ts";
import { planJobImage } from "./image.ts";
import type { PlannedImage } from "./image.ts";
import { matchesPattern } from "./image-pattern.ts";
import type { ContainerExecutor } from "./image-unrunnable.ts";
import type { Job } from "./job.ts";
import { containerOptions, fargateObjections } from "./plan-options.ts";
import {
  agentMemoryMiB,
  chooseArchitecture,
  jobMemoryMiB,
  platformOf,
  refuseOverbooked,
} from "./plan-size.ts";
import { refusal } from "./refusal.ts";
import type { Refusal } from "./refusal.ts";
import { collectLogins } from "./registry-login.ts";
import type { Logins } from "./registry-login.ts";
import { planServices } from "./services.ts";
import type { PlannedService } from "./services.ts";
import type { Architecture } from "./settings-task.ts";
import type { Settings } from "./settings.ts";
import { agentContainer } from "./task-plan.ts";
import type { ContainerPlan, ContainersPlan, EveryPlan, ServicePlan } from "./task-plan.ts";

/** What the plan must know of the job's variables. */
export interface PlanVariables {
  /** The expanded value, "" if there is none. */
  get(key: string): string;
  has(key: string): boolean;
  /** Puts variables into a text. */
  expand(text: string): string;
}

export interface ContainersContext {
  readonly executor: ContainerExecutor;
  readonly variables: PlanVariables;
  readonly agentImage: string;
}

export type PlannedContainers =
  | {
      readonly kind: "containers";
      readonly plan: Omit<ContainersPlan, keyof EveryPlan>;
      readonly warnings: readonly string[];
    }
  | Refusal;

export function planContainers(
  job: Job,
  settings: Settings,
  context: ContainersContext,
): PlannedContainers {
  const decided = decide(job, settings, context);
  if (decided.kind === "refusal") return decided;
  const { shape, image, services, logins } = decided;
  const { executor } = context;
  const get = (key: string) => context.variables.get(key);
  const usual = executor === "docker" && shape.architecture ? platformOf(shape.architecture) : "";
  const wait = settings.wait_for_services_timeout;
  return {
    kind: "containers",
    warnings: decided.warnings,
    plan: {
      executor,
      agent: { name: agentContainer, image: context.agentImage, memoryMiB: agentMemoryMiB },
      job: {
        name: "job",
        ...imageFields(image, usual, logins),
        command: undefined,
        environment: [],
        cpuUnits: executor === "docker" ? shape.size.cpuUnits : 0,
        memoryMiB: jobMemoryMiB(shape.size),
        memoryReservationMiB: settings.memory_reservation,
      },
      services: services.map((service, index) => ({
        ...serviceFields(service, index, settings),
        ...imageFields(service.planned, usual, logins),
      })),
      waitForServicesSeconds: wait < 0 ? undefined : wait || 30,
      debugServices: parseBool(get("CI_DEBUG_SERVICES")) ?? false,
      size: shape.size,
      diskGiB: shape.diskGiB,
      architecture: decided.architecture,
      capacity: shape.capacity,
      rerunOnLoss: shape.rerunOnLoss,
      roleArn: executor === "fargate" ? chooseRole(job, settings) : undefined,
      options: containerOptions(settings),
      docker: executor === "docker" ? settings : undefined,
    },
  };
}

interface Decisions {
  readonly kind: "decisions";
  readonly shape: TaskShape;
  readonly image: PlannedImage;
  readonly services: readonly PlannedService[];
  readonly architecture: Architecture | undefined;
  readonly logins: Logins;
  readonly warnings: readonly string[];
}

/** Everything that may be refused, the runner's own mistakes first. */
function decide(job: Job, settings: Settings, context: ContainersContext): Decisions | Refusal {
  const { executor, variables } = context;
  const fargate = executor === "fargate";
  const get = (key: string) => variables.get(key);
  const has = (key: string) => variables.has(key);
  const expand = (text: string) => variables.expand(text);

  const objections = fargate ? fargateObjections(settings) : { refusals: [], warnings: [] };
  if (objections.refusals.length > 0) return refusal(objections.refusals.join(". "));
  const shape = shapeTask({ executor, settings, get });
  if (shape.kind === "refusal") return shape;
  const image = planJobImage(job.image, { executor, settings, expand });
  if (image.kind === "refusal") return image;
  const found = planServices(job, { executor, settings, get, has, expand });
  if (found.kind === "refusal") return found;
  const images = [image, ...found.services.map(({ planned }) => planned)];
  let { architecture } = shape;
  if (fargate) {
    const refused =
      refuseCrowd(found.services.length) ??
      refuseOverbooked(shape.size, found.services.length, settings);
    if (refused !== undefined) return refused;
    const chosen = chooseArchitecture(shape, images, settings);
    if (chosen.kind === "refusal") return chosen;
    architecture = chosen.architecture;
  }
  const logins = collectLogins({
    executor,
    registryAuth: settings.registry_auth,
    dockerAuthConfig: get("DOCKER_AUTH_CONFIG"),
    credentials: job.credentials,
  });
  const all = [objections, image, found, logins].flatMap(({ warnings }) => warnings);
  const { services } = found;
  return { kind: "decisions", shape, image, services, architecture, logins, warnings: all };
}

function imageFields(planned: PlannedImage, usualPlatform: string, logins: Logins) {
  const { image, requested, entrypoint, user, platform, pullPolicies } = planned;
  return {
    image: image.name,
    requestedImage: requested.name,
    entrypoint,
    user,
    platform: platform || usualPlatform,
    pullPolicies,
    login: logins.find(image),
  } satisfies Partial<ContainerPlan>;
}

function serviceFields(service: PlannedService, index: number, settings: Settings) {
  const { hostnames, command, environment } = service;
  const readable = (hostnames[0] ?? "").replaceAll(/[^A-Za-z0-9_-]/g, "-").slice(0, 60);
  return {
    name: `svc-${index}-${readable}`,
    command,
    hostnames,
    environment,
    cpuUnits: settings.service_cpus,
    memoryMiB: settings.service_memory,
    memoryReservationMiB: settings.service_memory_reservation,
  } satisfies Partial<ServicePlan>;
}

const mostContainers = 10;

function refuseCrowd(services: number): Refusal | undefined {
  if (services + 2 <= mostContainers) return undefined;
  return refusal(
    `The job needs ${services + 2} containers (its own, its agent's and ${services} services'), and a ` +
      `task on Fargate has ${mostContainers} at most. Use ${mostContainers - 2} services or fewer`,
  );
}

function chooseRole(job: Job, { job_roles }: Settings): string | undefined {
  const project = job.job_info.project_full_path;
  return job_roles.find(
    (role) =>
      matchesPattern(role.project, project) &&
      (job.git_info.protected || !role.protected_refs_only),
  )?.role_arn;
}
