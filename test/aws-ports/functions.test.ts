import { LambdaClient } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createFunctions } from "../../src/aws/functions.ts";
import type { Functions } from "../../src/aws/functions.ts";
import { startAnsweringServer } from "./answering-server.ts";
import type { AnsweringServer } from "./answering-server.ts";

let server: AnsweringServer;
let client: LambdaClient;
let functions: Functions;

beforeAll(async () => {
  server = await startAnsweringServer();
  client = new LambdaClient({
    endpoint: server.url,
    region: "eu-central-1",
    credentials: { accessKeyId: "testing", secretAccessKey: "testing" },
    maxAttempts: 1,
  });
  functions = createFunctions(client);
});

afterAll(async () => {
  client.destroy();
  await server.close();
});

test("an event is handed over, and nobody waits for what comes of it", async () => {
  server.answer({ status: 202, body: "" });
  await functions.invoke("launcher", { claim: "team/1024/0123" });
  const [request] = server.requests;
  expect(request?.path).toBe("/2015-03-31/functions/launcher/invocations");
  expect(JSON.parse(request?.body ?? "")).toEqual({ claim: "team/1024/0123" });
});

test("what Lambda has not taken is an error", async () => {
  server.answer({
    status: 429,
    headers: { "x-amzn-errortype": "TooManyRequestsException" },
    body: { message: "Rate Exceeded." },
  });
  await expect(functions.invoke("launcher", {})).rejects.toThrow("Rate Exceeded");
});

test("an answer other than that it has the event is an error", async () => {
  server.answer({ status: 200, body: "{}" });
  await expect(functions.invoke("launcher", {})).rejects.toThrow("Lambda answered 200");
});
