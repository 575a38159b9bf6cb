// A job's services: started beside each other, watched until the job is over, their ends told with the reason.

import type { Container } from "dockerode";
import type { LauncherMessage } from "../../core/hand-off.ts";
import type { TextMask } from "../../core/job-mask.ts";
import { portsToProbe } from "../../core/services.ts";
import type { ContainersPlan, ServicePlan } from "../../core/task-plan.ts";
import type { Trouble } from "../executor.ts";
import { serviceSpec } from "./container-spec.ts";
import { nextExit } from "./container-exit.ts";
import type { SpecContext } from "./container-spec.ts";
import type { Engine } from "./engine.ts";
import { createContainer } from "./engine-call.ts";
import { logTail } from "./log-tail.ts";
import { followServiceLog } from "./service-log.ts";
import { explainStart } from "./trouble.ts";

export interface ServicesInput {
  readonly engine: Engine;
  readonly plan: ContainersPlan;
  readonly context: SpecContext;
  readonly agentId: string;
  /** Of each service's image, in the plan's order: what it exposes. */
  readonly exposedPorts: readonly (readonly string[])[];
  readonly tell: (message: LauncherMessage) => void;
  /** Of the job's secrets. */
  readonly mask: TextMask;
  readonly over: AbortSignal;
}

interface Place {
  readonly service: ServicePlan;
  /** Where it probably listens. */
  readonly ports: readonly number[];
}

export type ServicesStart =
  | { readonly kind: "started"; readonly prepared: Extract<LauncherMessage, { kind: "prepared" }> }
  | { readonly kind: "trouble"; readonly trouble: Trouble };

export async function startServices(input: ServicesInput): Promise<ServicesStart> {
  const { plan, tell } = input;
  const places = plan.services.map((service, index): Place => {
    const environment = service.environment.map(
      ({ name, value }) => [name, value.reveal()] as const,
    );
    const probe = portsToProbe(environment, input.exposedPorts[index] ?? []);
    if (probe.kind === "invalid") tell({ kind: "notice", level: "warning", text: probe.message });
    return { service, ports: probe.kind === "ports" ? probe.ports : [] };
  });
  const troubles = await Promise.all(places.map((place) => start(input, place, places)));
  const trouble = troubles.find((one) => one !== undefined);
  if (trouble !== undefined) return { kind: "trouble", trouble };
  const services = places.map(({ service, ports }) => ({
    name: service.requestedImage,
    hostnames: [...service.hostnames],
    ports: [...ports],
  }));
  return { kind: "started", prepared: { kind: "prepared", services } };
}

async function start(
  input: ServicesInput,
  place: Place,
  places: readonly Place[],
): Promise<Trouble | undefined> {
  const { engine, plan, context, agentId, tell } = input;
  const { service } = place;
  tell({
    kind: "notice",
    level: "line",
    text: `Starting service ${service.requestedImage} ...`,
  });
  try {
    const container = await createContainer(engine, serviceSpec(plan, service, context, agentId));
    const ended = nextExit(container);
    void ended.then(
      (code) => tellEnd(input, container, code, place, places),
      () => undefined,
    );
    await container.start();
    if (plan.debugServices) void followServiceLog(container, service, input);
    return undefined;
  } catch (cause) {
    return explainStart(cause, service, true);
  }
}

async function tellEnd(
  { tell, mask, over }: ServicesInput,
  container: Container,
  code: number,
  { service, ports }: Place,
  places: readonly Place[],
): Promise<void> {
  if (over.aborted) return;
  const said = await logTail(container, 20, mask);
  const rival = places.find(
    (other) => other.service !== service && other.ports.some((port) => ports.includes(port)),
  );
  const reason = endReason({
    name: service.requestedImage,
    code,
    said,
    ports,
    ...(rival === undefined
      ? {}
      : { rival: { name: rival.service.requestedImage, ports: rival.ports } }),
  });
  tell({ kind: "service-ended", hostname: service.hostnames[0] ?? "", reason });
}

export interface ServiceEnd {
  readonly name: string;
  readonly code: number;
  readonly said: readonly string[];
  readonly ports: readonly number[];
  /** Another service that names one of these ports. */
  readonly rival?: { readonly name: string; readonly ports: readonly number[] };
}

/** One sentence and what the service said last; "" for a service that has done its work. */
export function endReason({ name, code, said, ports, rival }: ServiceEnd): string {
  if (code === 0) return "";
  const complaint = said.find((line) => /address (?:is )?already in use/i.test(line));
  if (complaint === undefined) {
    const ended = `service ${name} ended by itself with exit code ${code}.`;
    const last = said.slice(-5).join(" | ").slice(0, 700);
    return last === "" ? ended : `${ended} It said: ${last}`;
  }
  const shared = ports.filter((port) => rival?.ports.includes(port)).join(", ");
  const whose = rival === undefined ? "another container of the job" : `service ${rival.name}`;
  return (
    `service ${name} found its port${shared === "" ? "" : ` ${shared}`} taken by ${whose}, for all containers of a job ` +
    `share one network: give one of them another port by its command or variables (${complaint.slice(0, 300)})`
  );
}
