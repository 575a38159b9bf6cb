// Task definitions that an environment leaves behind: found by their names, removed at the pace that ECS takes.

import {
  DeleteTaskDefinitionsCommand,
  DeregisterTaskDefinitionCommand,
  paginateListTaskDefinitions,
} from "@aws-sdk/client-ecs";
import type { ECSClient } from "@aws-sdk/client-ecs";
import { callPace } from "./call-pace.ts";
import type { PaceClock } from "./call-pace.ts";

export interface LeftDefinition {
  readonly arn: string;
  /** Still to be deregistered. */
  readonly active: boolean;
}

/** Families are the prefix and a hash: another environment's, whose name begins with ours, are none of them. */
export async function taskDefinitions(
  client: ECSClient,
  prefix: string,
): Promise<readonly LeftDefinition[]> {
  const found: LeftDefinition[] = [];
  for (const status of ["ACTIVE", "INACTIVE"] as const) {
    for await (const { taskDefinitionArns = [] } of paginateListTaskDefinitions(
      { client },
      { status },
    )) {
      const ours = taskDefinitionArns.filter((arn) => isOurs(arn, prefix));
      found.push(...ours.map((arn) => ({ arn, active: status === "ACTIVE" })));
    }
  }
  return found;
}

function isOurs(arn: string, prefix: string): boolean {
  const family = /task-definition\/([^:]+):\d+$/.exec(arn)?.[1] ?? "";
  return family.startsWith(`${prefix}-`) && /^[0-9a-f]{32}$/.test(family.slice(prefix.length + 1));
}

/** One after the other; what is registered in the account meanwhile draws from the same buckets. */
export function definitionRemover(
  client: ECSClient,
  clock: PaceClock,
): (definition: LeftDefinition) => Promise<void> {
  const deregistering = callPace({ capacity: 20, perSecond: 1 }, clock);
  const deleting = callPace({ capacity: 5, perSecond: 1 }, clock);
  return async ({ arn, active }) => {
    if (active) {
      await deregistering(() =>
        client.send(new DeregisterTaskDefinitionCommand({ taskDefinition: arn })),
      );
    }
    const { failures = [] } = await deleting(() =>
      client.send(new DeleteTaskDefinitionsCommand({ taskDefinitions: [arn] })),
    );
    const [failure] = failures;
    if (failure !== undefined) {
      throw new Error(failure.detail ?? failure.reason ?? "ECS does not delete it");
    }
  };
}
