// A runner's birth in GitLab: by a person's access token, or the old way by registration token.

import type { Secret } from "../core/secret.ts";
import { decodeJson, type Unavailable } from "./reply.ts";
import { noAnswer, type Rejected, rejection, sendJson, type Session, unusable } from "./session.ts";
import type { Exchange } from "./transport.ts";
import { accessTokenHeader, registeredRunnerSchema, runnerTokenHeader } from "./wire.ts";

export type RegisterReply =
  | {
      readonly kind: "registered";
      readonly runnerId: number;
      readonly token: Secret;
      readonly tokenExpiresAt: string | undefined;
    }
  | Rejected
  | Unavailable;

/** What a runner can be given at its birth, as far as both ways know it. */
export interface RunnerAttributes {
  readonly description?: string;
  readonly maintenanceNote?: string;
  readonly tagList?: readonly string[];
  readonly runUntagged?: boolean;
  readonly locked?: boolean;
  readonly accessLevel?: "not_protected" | "ref_protected";
  readonly maximumTimeoutSeconds?: number;
  readonly paused?: boolean;
}

/** The old way, by registration token; newer GitLabs have it switched off (410). */
export async function registerRunner(
  session: Session,
  registrationToken: Secret,
  attributes: RunnerAttributes = {},
): Promise<RegisterReply> {
  const exchange = await sendJson(session, {
    method: "POST",
    path: "runners",
    body: {
      info: session.info,
      token: registrationToken.reveal(),
      ...wireAttributes(attributes),
      ...(attributes.tagList === undefined ? {} : { tag_list: attributes.tagList.join(",") }),
    },
    tokens: { [runnerTokenHeader]: registrationToken },
    secrets: [registrationToken],
    expectsJson: true,
  });
  return readRegistration(exchange, {
    403: "GitLab does not accept the registration token",
    410: "GitLab does not register runners by registration token any more: create the runner in GitLab and use its own token (glrt-…)",
  });
}

export type RunnerScope =
  | { readonly runnerType: "instance_type" }
  | { readonly runnerType: "group_type"; readonly groupId: number }
  | { readonly runnerType: "project_type"; readonly projectId: number };

/** The new way, by a person's access token with scope `create_runner` or `api`. */
export async function createRunner(
  session: Session,
  accessToken: Secret,
  scope: RunnerScope,
  attributes: RunnerAttributes = {},
): Promise<RegisterReply> {
  const exchange = await sendJson(session, {
    method: "POST",
    path: "user/runners",
    body: {
      runner_type: scope.runnerType,
      ...(scope.runnerType === "group_type" ? { group_id: scope.groupId } : {}),
      ...(scope.runnerType === "project_type" ? { project_id: scope.projectId } : {}),
      ...wireAttributes(attributes),
    },
    tokens: { [accessTokenHeader]: accessToken },
    secrets: [accessToken],
    expectsJson: true,
  });
  return readRegistration(exchange, {
    401: "GitLab does not accept the access token",
    403: "The access token may not create such a runner: it needs the scope create_runner or api, and its owner the right to do so",
  });
}

function wireAttributes(attributes: RunnerAttributes): Readonly<Record<string, unknown>> {
  const wire = {
    description: attributes.description,
    maintenance_note: attributes.maintenanceNote,
    tag_list: attributes.tagList,
    run_untagged: attributes.runUntagged,
    locked: attributes.locked,
    access_level: attributes.accessLevel,
    maximum_timeout: attributes.maximumTimeoutSeconds,
    paused: attributes.paused,
  };
  return Object.fromEntries(Object.entries(wire).filter(([, value]) => value !== undefined));
}

function readRegistration(
  exchange: Exchange,
  explanations: Readonly<Record<number, string>>,
): RegisterReply {
  if (exchange.kind === "noReply") return noAnswer(exchange);
  const { reply } = exchange;
  if (reply.status !== 201) return rejection(reply, explanations[reply.status]);
  const runner = decodeJson(reply, registeredRunnerSchema);
  if (runner.kind === "unreadable") return unusable(reply, runner.message);
  const { id, token, token_expires_at: tokenExpiresAt } = runner.value;
  return { kind: "registered", runnerId: id, token, tokenExpiresAt };
}
