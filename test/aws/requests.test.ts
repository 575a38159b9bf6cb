// Every request of the functions is valid by the model that its service publishes of its own API.

import { beforeAll, expect, test } from "vitest";
import type { AwsRequest } from "../fakes/request.ts";
import { mistakesOf, readModels } from "./api-model.ts";
import type { ApiModel } from "./api-model.ts";
import { recordCalls } from "./representative.ts";

const services = ["ecs", "ssm", "secretsmanager", "lambda", "s3"] as const;

let models: Readonly<Record<(typeof services)[number], ApiModel>>;
let requests: readonly AwsRequest[];

beforeAll(async () => {
  models = await readModels(services);
  const recorded = await recordCalls();
  requests = recorded.requests.filter(({ caller }) => recorded.callers.has(caller));
});

test.each(["ecs", "ssm", "secretsmanager"] as const)("%s", (service) => {
  const own = requests.filter((request) => request.service === service);
  expect(own).not.toEqual([]);
  const mistakes = own.flatMap(({ action, body }) =>
    mistakesOf(models[service], action, body ?? {}),
  );
  expect([...new Set(mistakes)]).toEqual([]);
});

test("lambda: an event is for a function that may be named so", () => {
  const own = requests.filter(({ service }) => service === "lambda");
  expect(own).not.toEqual([]);
  for (const { resource, headers } of own) {
    const input = {
      FunctionName: resource,
      InvocationType: String(headers["x-amz-invocation-type"]),
    };
    expect(mistakesOf(models.lambda, "Invoke", input)).toEqual([]);
  }
});

test("s3: bucket, key and conditions are what the operation knows", () => {
  const own = requests.filter(({ service }) => service === "s3");
  expect(own.length).toBeGreaterThan(20);
  const mistakes = own.flatMap((request) =>
    mistakesOf(models.s3, request.action, s3Input(request)),
  );
  expect([...new Set(mistakes)]).toEqual([]);
});

/** What travels in the address and in headers, by the names of the model. */
function s3Input({ action, resource, path, headers, body }: AwsRequest) {
  const [Bucket = "", ...rest] = resource.split("/");
  const Key = rest.join("/");
  const { searchParams } = new URL(path, "http://aws");
  const prefix = searchParams.get("prefix");
  const listed = [...String(body).matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, name]) => name);
  return {
    Bucket,
    ...(Key === "" ? {} : { Key }),
    ...(prefix === null ? {} : { Prefix: prefix }),
    ...(action === "DeleteObjects"
      ? { Delete: { Objects: listed.map((name) => ({ Key: name })) } }
      : {}),
    ...(headers["if-none-match"] === undefined ? {} : { IfNoneMatch: headers["if-none-match"] }),
    ...(headers["if-match"] === undefined ? {} : { IfMatch: headers["if-match"] }),
  };
}

test("a request with a mistake would be found", () => {
  const { body } = requests.find(({ action }) => action === "RunTask")!;
  const wrong = { ...(body as object), count: "1", launchtype: "FARGATE" };
  expect(mistakesOf(models.ecs, "RunTask", wrong).toSorted()).toEqual([
    "RunTask.count: string is no number",
    "RunTask: launchtype is unknown",
  ]);
  expect(mistakesOf(models.ecs, "RunTask", {})).toEqual(["RunTask: taskDefinition is missing"]);
});
