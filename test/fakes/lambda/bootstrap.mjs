// The other end of process.ts, in the function's own process, as Lambda's runtime is: takes one event after the other
// from its input as lines of JSON, and answers on a descriptor of its own, for stdout is the function's log.

import { writeSync } from "node:fs";
import { createInterface } from "node:readline";

const began = performance.now();
const { handler } = await import(process.env["FAKE_LAMBDA_FILE"]);
delete process.env["FAKE_LAMBDA_FILE"];
answer({ kind: "ready", milliseconds: performance.now() - began });

for await (const line of createInterface({ input: process.stdin })) {
  const { requestId, event, deadline } = JSON.parse(line);
  const name = process.env["AWS_LAMBDA_FUNCTION_NAME"];
  const context = {
    callbackWaitsForEmptyEventLoop: true,
    functionName: name,
    functionVersion: "$LATEST",
    invokedFunctionArn: `arn:aws:lambda:us-east-1:123456789012:function:${name}`,
    memoryLimitInMB: process.env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
    awsRequestId: requestId,
    logGroupName: process.env["AWS_LAMBDA_LOG_GROUP_NAME"],
    logStreamName: process.env["AWS_LAMBDA_LOG_STREAM_NAME"],
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
  const cpu = process.cpuUsage();
  let said;
  try {
    said = { kind: "result", result: (await handler(event, context)) ?? null };
  } catch (error) {
    const { name = "Error", message = String(error), stack = "" } = error ?? {};
    said = { kind: "error", errorType: name, errorMessage: message, stack };
  }
  const { user, system } = process.cpuUsage(cpu);
  answer({ ...said, cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() });
}

function answer(value) {
  writeSync(3, `${JSON.stringify(value)}\n`);
}
