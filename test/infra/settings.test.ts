import { expect, test } from "vitest";
import { parseDeployment } from "../../infra/settings.ts";

test("without any settings the environment is `default`, and nothing is set", () => {
  expect(parseDeployment(undefined, undefined)).toEqual({ environment: "default" });
});

test("settings are those of the environment that `-c env` names, as a map or as JSON", () => {
  const context = { default: { cacheDays: 3 }, prod: { cacheDays: 90 } };
  expect(parseDeployment("prod", context)).toEqual({ environment: "prod", cacheDays: 90 });
  expect(parseDeployment("prod", JSON.stringify(context)).cacheDays).toBe(90);
  expect(parseDeployment(undefined, context).cacheDays).toBe(3);
});

const here = "cdk.json: context gitlab-burst.default";
const network = {
  vpcId: "vpc-0123456789abcdef0",
  subnetIds: ["subnet-0123456789abcdef0"],
  assignPublicIp: true,
};

test.each([
  [
    { alarmAdress: "a@example.com" },
    `${here}.alarmAdress: unknown key; did you mean alarmAddress?`,
  ],
  [{ colour: "red" }, `${here}.colour: unknown key`],
  [{ alarmAddress: "somebody" }, `${here}.alarmAddress: expected an e-mail address`],
  [
    { namePrefix: "Burst_1" },
    `${here}.namePrefix: expected 1 to 40 small letters, digits and dashes, a letter first`,
  ],
  [{ agentImage: "agent" }, `${here}.agentImage: expected the address of an image`],
  [
    { network: { ...network, vpcId: "my-vpc" } },
    `${here}.network.vpcId: expected an id like vpc-0123456789abcdef0`,
  ],
  [
    { network: { ...network, subnetIds: [] } },
    `${here}.network.subnetIds: expected one at least, or leave the key out`,
  ],
  [
    { network: { ...network, subnets: ["subnet-0123456789abcdef0"] } },
    `${here}.network.subnets: unknown key`,
  ],
  [
    { network: { ...network, functions: { subnetIDs: [], subnetIds: network.subnetIds } } },
    `${here}.network.functions.subnetIDs: unknown key; did you mean subnetIds?`,
  ],
  [
    { permissionsBoundaryArn: "boundary" },
    `${here}.permissionsBoundaryArn: expected an ARN like arn:aws:iam::111122223333:policy/boundary`,
  ],
  [
    { tags: { "gitlab-burst": "prod" } },
    `${here}.tags: expected other keys: gitlab-burst says whose the stack is`,
  ],
  [{ tags: { team: "ci", "AWS:x": "y" } }, `${here}.tags: expected other keys`],
  [{ cacheDays: 0.5 }, `${here}.cacheDays: expected a whole number of days`],
])("a mistake is told by its key: %j", (settings, message) => {
  expect(() => parseDeployment(undefined, { default: settings })).toThrow(message);
});

test("all mistakes are told at once, a line for each", () => {
  const wrong = { logRetentionDays: 8, kmsKeyArn: "key", dashboard: "no" };
  let message = "";
  try {
    parseDeployment(undefined, { default: wrong });
  } catch (error) {
    message = String(error);
  }
  expect(message.split("\n")).toHaveLength(3);
  expect(message).toContain("logRetentionDays: expected one of 0, 1, 3, 5, 7, 14, 30");
});

test("an environment that cdk.json does not name is an error, where it names any", () => {
  expect(() => parseDeployment("prdo", { prod: {} })).toThrow(
    "-c env=prdo: context gitlab-burst has no such key; cdk.json has settings for prod",
  );
  expect(parseDeployment("prod", undefined)).toEqual({ environment: "prod" });
});

test.each([
  ["Prod", undefined, "-c env=Prod: expected 1 to 24 small letters, digits and dashes"],
  [undefined, "{", "context gitlab-burst: expected JSON"],
  [undefined, [1], "context gitlab-burst: expected a map from environments"],
])("env %j with context %j is refused", (env, context, message) => {
  expect(() => parseDeployment(env, context)).toThrow(message);
});
