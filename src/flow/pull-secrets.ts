// Logins for images, as secrets that ECS reads when it pulls. The runner's and those of DOCKER_AUTH_CONFIG are named
// by their content and shared by all jobs that have them; a login by the job's own token is the job's, and goes with it.

import type { ClaimRecord } from "../core/claim.ts";
import type { LoginSource } from "../core/registry-login.ts";
import { Secret } from "../core/secret.ts";
import type { ContainersPlan } from "../core/task-plan.ts";
import type { AdvanceDeps } from "./advance-deps.ts";

export interface PullSecret {
  readonly name: string;
  readonly containers: readonly string[];
  readonly username: string;
  readonly password: Secret;
  /** Made for this job alone. */
  readonly own: boolean;
}

/** Begins the names of those that jobs share, and of those that one job has. */
export const secretNames = {
  shared: (prefix: string): string => `${prefix}/registry/`,
  own: (prefix: string): string => `${prefix}/job/`,
} as const;

export function pullSecrets(
  { environment, sha256Hex }: Pick<AdvanceDeps, "environment" | "sha256Hex">,
  jobKey: string,
  plan: ContainersPlan,
): readonly PullSecret[] {
  const prefix = environment.BURST_NAME_PREFIX;
  const secrets = new Map<string, PullSecret>();
  for (const { name: container, login } of [plan.job, ...plan.services]) {
    if (login === undefined || login.kind !== "login") continue;
    const { registry, username, password, source } = login;
    const hash = sha256Hex(JSON.stringify([registry, username, password.reveal()])).slice(0, 32);
    const own = isOwn(source);
    const name = own
      ? `${secretNames.own(prefix)}${jobKey}-${hash.slice(0, 8)}`
      : `${secretNames.shared(prefix)}${hash}`;
    const before = secrets.get(name)?.containers ?? [];
    secrets.set(name, { name, containers: [...before, container], username, password, own });
  }
  return [...secrets.values()];
}

/** The job that an own secret was made for. */
export function jobOfSecret(prefix: string, name: string): string | undefined {
  const start = secretNames.own(prefix);
  return name.startsWith(start) ? /^[0-9a-f]{32}/.exec(name.slice(start.length))?.[0] : undefined;
}

/** A job's token opens for this job alone. */
function isOwn(source: LoginSource): boolean {
  return source === "job";
}

/** What a record must name before it is made. */
export function missingOwned(
  owned: ClaimRecord["owned"],
  secrets: readonly PullSecret[],
): ClaimRecord["owned"] {
  return secrets
    .filter(
      ({ own, name }) => own && !owned.some((one) => one.kind === "secret" && one.name === name),
    )
    .map(({ name }) => ({ kind: "secret" as const, name }));
}

/** ARNs by the container's name. */
export async function ensureSecrets(
  { secrets: vault }: Pick<AdvanceDeps, "secrets">,
  secrets: readonly PullSecret[],
): Promise<Readonly<Record<string, string>>> {
  const arns: Record<string, string> = {};
  for (const { name, containers, username, password } of secrets) {
    const arn = await vault.ensure(name, { username, password });
    for (const container of containers) arns[container] = arn;
  }
  return arns;
}
