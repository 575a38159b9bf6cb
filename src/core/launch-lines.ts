// What the head of a job's log says while its task is being started: what is started, from where, with whose logins.

import { infoLine, plainLine, warningLine } from "./colours.ts";
import { rungText } from "./ladder.ts";
import type { Rung } from "./ladder.ts";
import type { LoginSource } from "./registry-login.ts";
import { sizeText } from "./size.ts";
import type { ContainerPlan, ContainersPlan } from "./task-plan.ts";

export function launchLines(
  plan: ContainersPlan,
  rung: Rung | undefined,
  warnings: readonly string[],
): string {
  const { size, diskGiB, architecture, job, services } = plan;
  const place = [sizeText(size), `${diskGiB} GB disk`, architecture ?? "x86_64", rungText(rung)];
  return [
    infoLine(`Starting a task on Fargate with ${place.join(", ")}`),
    plainLine(`Image ${imageText(job)}`),
    ...services.map((service) =>
      plainLine(`Service ${imageText(service)}, known as ${service.hostnames.join(", ")}`),
    ),
    ...warnings.map(warningLine),
  ].join("");
}

export function waitingLine(why: string): string {
  return plainLine(`Not started yet: ${why}`);
}

function imageText({ image, requestedImage, login }: ContainerPlan): string {
  const from = image === requestedImage ? "" : `, taken from ${image}`;
  return `${requestedImage}${from}${login === undefined ? "" : `, pulled with ${loginText(login)}`}`;
}

function loginText(login: NonNullable<ContainerPlan["login"]>): string {
  return login.kind === "ecr" ? "the rights of the runner's AWS account" : sources[login.source];
}

const sources: Readonly<Record<LoginSource, string>> = {
  settings: "the runner's login for its registry",
  DOCKER_AUTH_CONFIG: "the login in DOCKER_AUTH_CONFIG",
  job: "the job's own token (a login for this job alone, made for it and removed with it: AWS takes about one a second)",
};
