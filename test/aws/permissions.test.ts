// Every call that the functions make is allowed by the policies that the template gives them, and whatever these allow
// is used, or its reason is here.

import { beforeAll, expect, test } from "vitest";
import { allowedBy, needsOf } from "./iam.ts";
import { recordCalls } from "./representative.ts";
import type { Recorded } from "./representative.ts";
import type { Statement } from "./template.ts";

let recorded: Recorded;

beforeAll(async () => {
  recorded = await recordCalls();
});

function needs() {
  const { stack, region, requests, callers } = recorded;
  const place = { region, clusterArn: stack.clusterArn, executionRole: stack.executionRole };
  return requests.flatMap((request) => {
    const caller = callers.get(request.caller);
    return caller === undefined
      ? []
      : needsOf(request, place).map((need) => ({ caller, need, request }));
  });
}

test("every call is its caller's to make", () => {
  const denied = needs()
    .filter(({ caller, need }) => allowedBy(recorded.stack.policies[caller], need) === undefined)
    .map(({ caller, need }) => `${caller}: ${need.action} on ${need.resource}`);
  expect([...new Set(denied)]).toEqual([]);
  expect(needs().length).toBeGreaterThan(100);
});

/** By caller (`*`: any) and action: why it is granted though no run here makes the call. */
const reasons: Readonly<Record<string, string>> = {
  "* logs:CreateLogStream": "Lambda itself, and the log driver of tasks",
  "* logs:PutLogEvents": "Lambda itself, and the log driver of tasks",
  "* sqs:SendMessage": "Lambda itself: events that were given up",
  "* secretsmanager:RestoreSecret": "a secret that somebody had marked for deletion",
  "execution ecr:GetAuthorizationToken": "ECS itself pulls images",
  "execution ecr:BatchCheckLayerAvailability": "ECS itself pulls images",
  "execution ecr:GetDownloadUrlForLayer": "ECS itself pulls images",
  "execution ecr:BatchGetImage": "ECS itself pulls images",
  "execution s3:GetBucketLocation": "ECS itself, before it reads an environment file",
  "execution secretsmanager:GetSecretValue": "ECS itself reads logins to registries",
};

/** Launcher, reaper and sweeper are doors to the same steps: what one of them does any of them may have to do. */
const doors = ["launcher", "reaper", "sweeper"] as const;

test("every action that is granted is used, or has its reason", () => {
  const used = new Set<string>();
  for (const { caller, need } of needs()) {
    const by = allowedBy(recorded.stack.policies[caller], need);
    if (by !== undefined) used.add(`${caller} ${need.action}`);
  }
  const isUsed = (caller: string, action: string) =>
    used.has(`${caller} ${action}`) ||
    (doors.some((door) => door === caller) && doors.some((door) => used.has(`${door} ${action}`)));
  const unused = Object.entries(recorded.stack.policies).flatMap(([caller, statements]) =>
    actionsOf(statements)
      .filter((action) => !isUsed(caller, action))
      .filter((action) => reasons[`* ${action}`] === undefined)
      .filter((action) => reasons[`${caller} ${action}`] === undefined)
      .map((action) => `${caller} ${action}`),
  );
  expect(unused).toEqual([]);
});

test("a reason stands for something that is granted", () => {
  const granted = Object.entries(recorded.stack.policies).flatMap(([caller, statements]) =>
    actionsOf(statements).flatMap((action) => [`${caller} ${action}`, `* ${action}`]),
  );
  expect(Object.keys(reasons).filter((name) => !granted.includes(name))).toEqual([]);
});

test("without its statement a call would be seen as denied", () => {
  const { stack } = recorded;
  const { caller, need } = needs().find(({ need: { action } }) => action === "ecs:RunTask")!;
  const others = stack.policies[caller].filter(({ Action }) => !Action.includes("ecs:RunTask"));
  expect(allowedBy(others, need)).toBeUndefined();
  const elsewhere = { ...need, context: { "ecs:cluster": `${stack.clusterArn}-other` } };
  expect(allowedBy(stack.policies[caller], elsewhere)).toBeUndefined();
});

function actionsOf(statements: readonly Statement[]): readonly string[] {
  return [...new Set(statements.flatMap(({ Action }) => Action))];
}
