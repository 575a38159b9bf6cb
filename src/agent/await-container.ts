// Before the first script: the job's container must be up, and its services had their time to listen.

import { setMaxListeners } from "node:events";
import { connect } from "node:net";
import { RunnerError } from "../core/errors.ts";
import { ContainerGone } from "./container-gone.ts";
import type { JobRun } from "./job-run.ts";
import type { StartedService } from "./surroundings.ts";
import { listeningPorts } from "./task/listening-ports.ts";

const probePauseMs = 200;
const hintMs = 20_000;
/** Where the settings name no time. */
const usualSeconds = 30;

/** Returns early when the job is stopped. Throws where there is no container, or none with a shell. */
export async function awaitContainer(run: JobRun): Promise<void> {
  const up = new AbortController();
  void hintAtSilence(run, AbortSignal.any([run.stops.all, up.signal]));
  const state = await Promise.race([
    run.container.state,
    raised(run.stops.all),
    prepareTimeout(run, up.signal),
  ]);
  up.abort();
  if (state === undefined) return;
  if (state.kind === "late") {
    throw new RunnerError(
      "job_execution_timeout",
      `the job's containers were not ready within ${run.settings.prepare_timeout} s (prepare_timeout of the runner's settings)`,
    );
  }
  if (state.kind === "gone") throw new ContainerGone("the job's container never came up");
  if (state.shell === "") {
    throw new RunnerError(
      "runner_configuration_error",
      "the image has no shell (sh or bash) to run the job's script with: use an image that has one",
    );
  }
  if (state.unnamed === true) warnOfNames(run);
  if (run.job.services.length > 0 || run.settings.services.length > 0) await awaitServices(run);
}

/** Its /etc/hosts is its own, and read-only, or another user's than the image's. */
function warnOfNames({ handOff, trace }: JobRun): void {
  const { services = [], hosts = [] } = handOff.task ?? {};
  const names = services.flatMap(({ hostnames }) => hostnames);
  const others = hosts.map(({ name, address }) => `${name} (${address})`);
  const known = [
    ...(names.length === 0 ? [] : [`${names.join(", ")}: use localhost and the port instead`]),
    ...(others.length === 0 ? [] : [`${others.join(", ")}: use the address instead`]),
  ];
  trace.log.warning(
    "the job's container does not let its /etc/hosts be written (its image's user is not root, or its files are " +
      `read-only), so these names mean nothing in it: ${known.join("; ")}`,
  );
}

/** Never resolves where the settings name no time, or when the container came up. */
async function prepareTimeout(run: JobRun, up: AbortSignal): Promise<{ readonly kind: "late" }> {
  const seconds = run.settings.prepare_timeout;
  if (seconds > 0) {
    await run.sleep(seconds * 1000, up);
    if (!up.aborted) return { kind: "late" };
  }
  return await new Promise(() => undefined);
}

/** A container that runs and does not run our shell would be waited for in silence until the job's time is up. */
async function hintAtSilence(run: JobRun, over: AbortSignal): Promise<void> {
  if (run.handOff.executor === "process") return;
  await Promise.race([run.surroundings.services, raised(over)]);
  await run.sleep(hintMs, over);
  if (over.aborted) return;
  run.trace.log.warning(
    `the job's container has been running for ${hintMs / 1000} s, and its shell has not come up: its image's entrypoint ` +
      'must exec the command it is given; if this one does not, set entrypoint: [""] in the job\'s image',
  );
}

async function awaitServices(run: JobRun): Promise<void> {
  const wished = run.settings.wait_for_services_timeout;
  if (run.handOff.executor === "process" || wished < 0) return;
  const seconds = wished || usualSeconds;
  const services = await Promise.race([run.surroundings.services, raised(run.stops.all)]);
  if (services === undefined) return;
  const limit = AbortSignal.any([run.stops.all, AbortSignal.timeout(seconds * 1000)]);
  // Every probe of every port listens to it.
  setMaxListeners(0, limit);
  run.trace.log.line(`Waiting for services to be up and running (timeout ${seconds} seconds)...`);
  const silent = await Promise.all(
    services.map(async (service) =>
      (await listens(run, service, limit, services)) ? undefined : service,
    ),
  );
  for (const service of silent) {
    if (service === undefined || run.stops.all.aborted) continue;
    const why = silence(run, service, seconds);
    run.trace.log.line(`*** WARNING: Service ${service.name} probably didn't start properly.`);
    run.trace.log.line(
      `Health check: ${why}. The job goes on; CI_DEBUG_SERVICES shows the service's log.`,
    );
  }
}

function silence(run: JobRun, service: StartedService, seconds: number): string {
  if (run.surroundings.hasEnded(service)) return "its container has ended";
  if (service.ports.length === 0 && looksForPorts(run)) {
    return `it listens on no port within ${seconds} s; HEALTHCHECK_TCP_PORT names the one to ask`;
  }
  return service.ports.length === 0
    ? "its image names no port (EXPOSE) to ask, and HEALTHCHECK_TCP_PORT is not set"
    : `no connection to ${service.ports.join(", ")} within ${seconds} s`;
}

/** Whether one of its ports takes a connection before the limit: all containers share one network. */
async function listens(
  run: JobRun,
  service: StartedService,
  limit: AbortSignal,
  all: readonly StartedService[],
): Promise<boolean> {
  if (service.ports.length === 0 && !looksForPorts(run)) return false;
  while (!limit.aborted && !run.surroundings.hasEnded(service)) {
    const isUp =
      service.ports.length === 0
        ? enoughListen(run, all, await listeningPorts())
        : (await Promise.all(service.ports.map((port) => connects(port, limit)))).includes(true);
    if (isUp) return true;
    await run.sleep(probePauseMs, limit);
  }
  return false;
}

/** What an image exposes is not to be known there; and nobody but its services listens in a task. */
function looksForPorts({ handOff }: JobRun): boolean {
  return handOff.executor === "fargate";
}

/** As many ports as there are services that live and are not known to have one. */
function enoughListen(
  { surroundings }: JobRun,
  services: readonly StartedService[],
  open: ReadonlySet<number>,
): boolean {
  const known = new Set(services.flatMap(({ ports }) => ports));
  const portless = services.filter(
    (service) => service.ports.length === 0 && !surroundings.hasEnded(service),
  );
  return [...open].filter((port) => !known.has(port)).length >= portless.length;
}

function connects(port: number, limit: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, signal: limit });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}

export function raised(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}
