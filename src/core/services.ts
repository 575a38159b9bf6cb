// A job's services: the settings' own first, then the job's; the names they are known by, their environment,
// and which of their ports says that they are up.

import { expandText } from "./expand.ts";
import { planImage, refuseDisallowed } from "./image.ts";
import type { ImageContext, ImageWish, PlannedImage } from "./image.ts";
import { serviceHostnames } from "./image-reference.ts";
import type { Job, Variable } from "./job.ts";
import { refusal } from "./refusal.ts";
import type { Refusal } from "./refusal.ts";
import { Secret } from "./secret.ts";

export interface EnvironmentEntry {
  readonly name: string;
  readonly value: Secret;
}

export interface PlannedService {
  readonly planned: PlannedImage;
  readonly command: readonly string[] | undefined;
  /** Known by these; none is another service's. */
  readonly hostnames: readonly string[];
  readonly environment: readonly EnvironmentEntry[];
}

export interface ServiceContext extends ImageContext {
  /** A variable of the job, expanded. */
  readonly get: (key: string) => string;
  readonly has: (key: string) => boolean;
}

export type PlannedServices =
  | {
      readonly kind: "services";
      readonly services: readonly PlannedService[];
      readonly warnings: readonly string[];
    }
  | Refusal;

interface ServiceWish extends ImageWish {
  readonly alias: string;
  readonly command: readonly string[] | undefined;
  readonly variables: readonly Pick<Variable, "key" | "value" | "raw">[];
}

export function planServices(job: Job, context: ServiceContext): PlannedServices {
  const { settings, expand } = context;
  const always = settings.services.map((service): ServiceWish => ({
    name: expand(service.name),
    alias: expand(service.alias),
    entrypoint: service.entrypoint,
    command: service.command,
    variables: service.environment.map(variableOf),
    pull_policy: [],
  }));
  const own = job.services.map((service): ServiceWish => ({
    ...service,
    name: expand(service.name),
    alias: expand(service.alias),
  }));
  for (const { name } of own) {
    if (always.some((service) => service.name === name)) continue;
    const allowed = settings.allowed_services;
    const refused = refuseDisallowed(name, allowed, "service", "allowed_services");
    if (refused !== undefined) return refused;
  }
  const wishes = [...always, ...own];
  const limit = settings.services_limit;
  if (limit >= 0 && wishes.length > limit) {
    return refusal(
      `The job asks for more services (${wishes.length}) than this runner allows (${limit}). ` +
        "Use fewer, or have services_limit in the runner's settings raised",
    );
  }
  return nameServices(wishes, sharedEnvironment(job, context), context);
}

function nameServices(
  wishes: readonly ServiceWish[],
  shared: ReadonlyMap<string, string>,
  context: ServiceContext,
): PlannedServices {
  const taken = new Set<string>();
  const services: PlannedService[] = [];
  const warnings: string[] = [];
  for (const wish of wishes) {
    const planned = planImage(wish, "service", context);
    if (planned.kind === "refusal") return planned;
    warnings.push(...planned.warnings);
    const hostnames: string[] = [];
    for (const name of new Set([...serviceHostnames(planned.requested), ...aliases(wish.alias)])) {
      const obstacle = obstacleTo(name, taken);
      if (obstacle === undefined) hostnames.push(name);
      else warnings.push(`Service ${wish.name}: ${obstacle}; the name is left out`);
    }
    if (hostnames.length === 0) {
      warnings.push(
        `Service ${wish.name} is not started: no name is left for it. Give it an alias`,
      );
      continue;
    }
    for (const name of hostnames) taken.add(name);
    const environment = serviceEnvironment(wish.variables, shared, context.get);
    services.push({ planned, command: words(wish.command), hostnames, environment });
  }
  return { kind: "services", services, warnings };
}

/** Names are separated by spaces or commas. */
function aliases(alias: string): readonly string[] {
  return alias.split(/[\s,]+/).filter((name) => name !== "");
}

function obstacleTo(name: string, taken: ReadonlySet<string>): string | undefined {
  if (taken.has(name)) return `the name ${name} belongs to an earlier service`;
  if (/^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?$/.test(name)) return undefined;
  return `${JSON.stringify(name)} cannot be a host's name`;
}

function words(list: readonly string[] | undefined): readonly string[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}

function variableOf(line: string): Pick<Variable, "key" | "value" | "raw"> {
  const equals = line.indexOf("=");
  return { key: line.slice(0, equals), value: new Secret(line.slice(equals + 1)), raw: false };
}

/** Variables that the runner itself sets, which are as little secret as the public ones. */
const ofTheRunner: readonly string[] = [
  "CI_BUILDS_DIR",
  "CI_CONCURRENT_ID",
  "CI_CONCURRENT_PROJECT_ID",
  "CI_DISPOSABLE_ENVIRONMENT",
  "CI_JOB_IMAGE",
  "CI_JOB_STATUS",
  "CI_JOB_TIMEOUT",
  "CI_PROJECT_DIR",
  "CI_RUNNER_EXECUTABLE_ARCH",
  "CI_RUNNER_REVISION",
  "CI_RUNNER_SHORT_TOKEN",
  "CI_RUNNER_VERSION",
  "CI_SERVER",
];

/** What every service gets of the job's variables: the public ones and the runner's own. */
function sharedEnvironment(job: Job, context: ServiceContext): ReadonlyMap<string, string> {
  const configured = context.settings.environment.map((line) => line.slice(0, line.indexOf("=")));
  const open = job.variables.filter((variable) => variable.public).map((variable) => variable.key);
  const names = new Set([...ofTheRunner, ...configured, ...open]);
  // A login for registries is for the engine that pulls, not for what was pulled.
  names.delete("DOCKER_AUTH_CONFIG");
  return new Map(
    [...names].filter(context.has).map((name): [string, string] => [name, context.get(name)]),
  );
}

/** A service's own variables win; they may name each other and all variables of the job. */
export function serviceEnvironment(
  own: readonly Pick<Variable, "key" | "value" | "raw">[],
  shared: ReadonlyMap<string, string>,
  get: (key: string) => string,
): readonly EnvironmentEntry[] {
  const unexpanded = new Map(own.map(({ key, value }) => [key, value.reveal()]));
  const all = new Map(shared);
  for (const { key, value, raw } of own) {
    const lookup = (name: string) =>
      name === key ? get(name) : (unexpanded.get(name) ?? get(name));
    all.set(key, raw ? value.reveal() : expandText(value.reveal(), lookup));
  }
  return [...all].map(([name, value]) => ({ name, value: new Secret(value) }));
}

export type Probe =
  | { readonly kind: "ports"; readonly ports: readonly number[] }
  | { readonly kind: "invalid"; readonly message: string };

const mostPorts = 20;

/**
 * The TCP ports to try until one answers. `environment` is the container's, with its image's part;
 * `exposed` is what the image exposes, such as "5432/tcp" or "8000-8010/tcp". No ports: never up.
 */
export function portsToProbe(
  environment: readonly (readonly [name: string, value: string])[],
  exposed: readonly string[],
): Probe {
  const chosen = environment.findLast(
    ([name]) => name.toUpperCase() === "HEALTHCHECK_TCP_PORT",
  )?.[1];
  if (chosen !== undefined) {
    const port = Number(chosen);
    if (/^\d+$/.test(chosen) && port >= 1 && port <= 65_535)
      return { kind: "ports", ports: [port] };
    const message = `HEALTHCHECK_TCP_PORT must be a port from 1 to 65535, and is ${JSON.stringify(chosen)}`;
    return { kind: "invalid", message };
  }
  const ports = new Set<number>();
  for (const entry of exposed) {
    const range = /^(\d+)(?:-(\d+))?(?:\/tcp)?$/.exec(entry);
    if (range === null) continue;
    const last = Math.min(Number(range[2] ?? range[1]), Number(range[1]) + mostPorts);
    for (let port = Number(range[1]); port <= last; port += 1) ports.add(port);
  }
  const lowest = [...ports].toSorted((left, right) => left - right).slice(0, mostPorts);
  return { kind: "ports", ports: lowest };
}
