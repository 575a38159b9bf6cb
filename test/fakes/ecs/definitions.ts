// Task definitions as ECS keeps them: every registration is a new revision; a family's name stands for its newest
// active one; a deregistered one can be used for ten minutes more.

import type { RegisterTaskDefinitionCommandInput, TaskDefinition } from "@aws-sdk/client-ecs";
import { checkDefinition } from "./check-definition.ts";
import { clientError } from "./refusal.ts";

export interface Definition extends TaskDefinition {
  readonly taskDefinitionArn: string;
  readonly family: string;
  readonly revision: number;
  status: "ACTIVE" | "INACTIVE" | "DELETE_IN_PROGRESS";
  inactiveSince: number | undefined;
}

export interface Definitions {
  register(input: RegisterTaskDefinitionCommandInput): Definition;
  /** By ARN, `family:revision`, or a family's name; throws where there is none that may be used now. */
  usable(name: string): Definition;
  describe(name: string): Definition;
  deregister(name: string): Definition;
  remove(name: string): Definition;
  list(filter: { readonly familyPrefix?: string; readonly status?: string }): readonly Definition[];
}

const usableAfterMs = 10 * 60_000;

export function createDefinitions(arnPrefix: string, now: () => number): Definitions {
  const families = new Map<string, Definition[]>();

  const find = (name: string): Definition | undefined => {
    const short = name.replace(/^arn:aws:ecs:[^/]*:task-definition\//, "");
    const [family = "", revision] = short.split(":");
    const revisions = families.get(family) ?? [];
    return revision === undefined
      ? revisions.findLast(({ status }) => status === "ACTIVE")
      : revisions.find((candidate) => candidate.revision === Number(revision));
  };
  const exact = (name: string, what: string): Definition => {
    if (!/:\d+$/.test(name)) throw clientError(`${what}: revision is missing in ${name}`);
    const found = find(name);
    if (found === undefined) throw clientError("The specified task definition does not exist.");
    return found;
  };
  return {
    register(input) {
      checkDefinition(input);
      const family = input.family ?? "";
      const revisions = families.get(family) ?? [];
      const revision = revisions.length + 1;
      const definition: Definition = {
        ...structuredClone(input),
        family,
        revision,
        taskDefinitionArn: `${arnPrefix}:task-definition/${family}:${revision}`,
        status: "ACTIVE",
        inactiveSince: undefined,
      };
      families.set(family, [...revisions, definition]);
      return definition;
    },
    usable(name) {
      const found = find(name);
      if (found === undefined) throw clientError("TaskDefinition not found.");
      if (found.status === "ACTIVE") return found;
      const since = found.inactiveSince ?? 0;
      if (found.status === "INACTIVE" && now() - since < usableAfterMs) return found;
      throw clientError("TaskDefinition is inactive");
    },
    describe(name) {
      const found = find(name);
      if (found === undefined) throw clientError("Unable to describe task definition.");
      return found;
    },
    deregister(name) {
      const found = exact(name, "DeregisterTaskDefinition");
      if (found.status === "ACTIVE") {
        found.status = "INACTIVE";
        found.inactiveSince = now();
      }
      return found;
    },
    remove(name) {
      const found = exact(name, "DeleteTaskDefinitions");
      if (found.status === "ACTIVE") {
        throw clientError("Task definition must be INACTIVE before it can be deleted.");
      }
      found.status = "DELETE_IN_PROGRESS";
      return found;
    },
    list: ({ familyPrefix, status = "ACTIVE" }) =>
      [...families.values()]
        .flat()
        .filter((found) => found.status === status)
        .filter(({ family }) => familyPrefix === undefined || family === familyPrefix),
  };
}
