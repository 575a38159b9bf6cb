// Lambda as our functions meet it: asynchronous invocations that are delivered at least once, tried again, and given
// up into a queue; warm and cold processes; timeouts; a limit of how many run at once.

import { createHash } from "node:crypto";
import { seededChance } from "../chance.ts";
import type { Clock } from "../clock.ts";
import type { Answer } from "../front.ts";
import type { AwsRequest } from "../request.ts";
import { startFunctionProcess } from "./process.ts";
import type { FunctionProcess, Invoked } from "./process.ts";

export interface LambdaFunction {
  readonly name: string;
  /** Of its bundle: index.mjs. */
  readonly file: string;
  /** What the stack gives it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  /** @default 256 */
  readonly memoryMiB?: number;
  /** After the first. @default 2 */
  readonly retries?: number;
  /** @default 21,600 */
  readonly maximumAgeSeconds?: number;
  /** Reserved concurrency. @default as much as the account has */
  readonly concurrency?: number;
  /** Gets what was given up: URL of a queue, or whatever `onFailure` of the options makes of it. */
  readonly destination?: string;
}

export interface LambdaOptions {
  readonly clock: Clock;
  readonly functions: readonly LambdaFunction[];
  /** For AWS_ENDPOINT_URL, asked for at every start: the front begins after us. */
  readonly endpoint: () => string;
  /** @default "us-east-1" */
  readonly region?: string;
  /** @default 1 */
  readonly seed?: number;
  /** How likely an event is delivered twice. @default 0 */
  readonly duplicates?: number;
  /** Before the second and the third try. @default 60 and 120 */
  readonly retrySeconds?: readonly number[];
  /** Of the account. @default 10, as a new one has */
  readonly concurrency?: number;
  /** Gets an event that is given up. */
  readonly onFailure?: (destination: string, record: unknown) => Promise<void>;
}

export interface InvocationRecord {
  readonly functionName: string;
  readonly requestId: string;
  readonly event: unknown;
  /** From 1. */
  readonly attempt: number;
  readonly session: string;
  readonly outcome: Invoked | "throttled";
  readonly milliseconds: number;
}

export interface Lambda {
  /** For the front: undefined where the function is none of ours. */
  answer(request: AwsRequest): Promise<Answer> | undefined;
  /** As a schedule or a rule does it: delivered later, tried again. */
  invokeLater(functionName: string, event: unknown): void;
  /** At once, and once. */
  invokeNow(functionName: string, event: unknown): Promise<Invoked>;
  /** Every run of a function that has ended, oldest first. */
  readonly invocations: readonly InvocationRecord[];
  readonly givenUp: readonly { readonly functionName: string; readonly event: unknown }[];
  /** Resolves when nothing runs, and nothing waits but what waits for the clock. */
  idle(): Promise<void>;
  /** The process that holds this session token. */
  kill(session: string): void;
  /** All processes of a function; the next event starts a new one. */
  killAll(functionName: string): void;
  /** What a function's processes have printed. */
  log(functionName: string): string;
  /** Milliseconds that each import of the bundle took. */
  coldStarts(functionName: string): readonly number[];
  close(): Promise<void>;
}

const asyncBytes = 1024 * 1024;
const usualRegion = "us-east-1";
const account = "123456789012";

export function createLambda(options: LambdaOptions): Lambda {
  const { clock, region = usualRegion } = options;
  const chance = seededChance(options.seed ?? 1);
  const known = new Map(options.functions.map((entry) => [entry.name, entry]));
  const processes = new Map<string, FunctionProcess[]>();
  const free = new Map<string, FunctionProcess[]>();
  const invocations: InvocationRecord[] = [];
  const givenUp: { functionName: string; event: unknown }[] = [];
  const open = new Set<Promise<unknown>>();
  let counted = 0;
  let running = 0;
  const runningOf = new Map<string, number>();
  let closed = false;

  const find = (name: string) =>
    known.get(name.split(":").findLast((part) => known.has(part)) ?? name);
  const track = (work: Promise<unknown>) => {
    open.add(work);
    void work.finally(() => open.delete(work)).catch(() => undefined);
  };
  const take = (fn: LambdaFunction): FunctionProcess => {
    const warm = free.get(fn.name)?.pop();
    if (warm?.alive === true) return warm;
    const session = `${fn.name}/${++counted}`;
    const made = startFunctionProcess({
      file: fn.file,
      session,
      environment: environmentOf(fn, session, options.endpoint(), region),
    });
    processes.set(fn.name, [...(processes.get(fn.name) ?? []), made]);
    return made;
  };
  const runOnce = async (
    fn: LambdaFunction,
    requestId: string,
    event: unknown,
    attempt: number,
  ): Promise<Invoked | "throttled"> => {
    const busy = runningOf.get(fn.name) ?? 0;
    const full = running >= (options.concurrency ?? 10) || busy >= (fn.concurrency ?? Infinity);
    const began = performance.now();
    const record = (outcome: Invoked | "throttled", session: string) => {
      const milliseconds = performance.now() - began;
      const functionName = fn.name;
      invocations.push({ functionName, requestId, event, attempt, session, outcome, milliseconds });
      return outcome;
    };
    if (full || closed) return record("throttled", "");
    running++;
    runningOf.set(fn.name, busy + 1);
    const runner = take(fn);
    try {
      const outcome = await runner.invoke(requestId, event, fn.timeoutSeconds * 1000);
      if (runner.alive) free.set(fn.name, [...(free.get(fn.name) ?? []), runner]);
      return record(outcome, runner.session);
    } finally {
      running--;
      runningOf.set(fn.name, (runningOf.get(fn.name) ?? 1) - 1);
    }
  };
  const deliver = async (
    fn: LambdaFunction,
    requestId: string,
    event: unknown,
    attempt: number,
    since: number,
  ): Promise<void> => {
    const outcome = await runOnce(fn, requestId, event, attempt);
    if (closed || (outcome !== "throttled" && outcome.kind === "result")) return;
    const failures = outcome === "throttled" ? attempt - 1 : attempt;
    const old = clock.now() - since >= (fn.maximumAgeSeconds ?? 21_600) * 1000;
    if (old || failures > (fn.retries ?? 2)) {
      givenUp.push({ functionName: fn.name, event });
      if (fn.destination !== undefined) {
        await options.onFailure?.(fn.destination, failureRecord(fn, requestId, event, outcome));
      }
      return;
    }
    const [first = 60, second = 120] = options.retrySeconds ?? [];
    // A throttle is no failure of the function's: it is asked again soon.
    const seconds = outcome === "throttled" ? 1 : attempt === 1 ? first : second;
    const next = outcome === "throttled" ? attempt : attempt + 1;
    clock.after(seconds * 1000, () => track(deliver(fn, requestId, event, next, since)));
  };
  const invokeLater = (functionName: string, event: unknown) => {
    const fn = find(functionName);
    if (fn === undefined) throw new RangeError(`there is no function ${functionName}`);
    const requestId = requestIdOf(++counted);
    const twice = chance() < (options.duplicates ?? 0);
    for (let copy = 0; copy < (twice ? 2 : 1); copy++) {
      clock.after(0, () => track(deliver(fn, requestId, event, 1, clock.now())));
    }
  };
  return {
    answer(request) {
      const fn = find(request.resource);
      if (request.action !== "Invoke" || fn === undefined) return undefined;
      const event = request.body ?? {};
      const type = request.headers["x-amz-invocation-type"] ?? "RequestResponse";
      if (type !== "Event") return synchronous(runOnce(fn, requestIdOf(++counted), event, 1));
      if (Buffer.byteLength(JSON.stringify(event)) > asyncBytes) {
        return Promise.resolve(problem(413, "RequestTooLargeException", "the event is over 1 MB"));
      }
      invokeLater(fn.name, event);
      return Promise.resolve({ status: 202, body: "" });
    },
    invokeLater,
    async invokeNow(functionName, event) {
      const fn = find(functionName);
      if (fn === undefined) throw new RangeError(`there is no function ${functionName}`);
      const work = runOnce(fn, requestIdOf(++counted), event, 1);
      track(work);
      const outcome = await work;
      if (outcome === "throttled") throw new Error(`${functionName} is throttled`);
      return outcome;
    },
    invocations,
    givenUp,
    async idle() {
      do {
        await Promise.allSettled(open);
        await pause(5);
      } while (open.size > 0);
    },
    kill(session) {
      for (const list of processes.values()) {
        for (const found of list) if (found.session === session) found.kill();
      }
    },
    killAll(functionName) {
      for (const found of processes.get(functionName) ?? []) found.kill();
      free.delete(functionName);
    },
    log: (functionName) => (processes.get(functionName) ?? []).map((found) => found.log()).join(""),
    coldStarts: (functionName) =>
      (processes.get(functionName) ?? []).flatMap(({ importMs }) => importMs ?? []),
    async close() {
      closed = true;
      const all = [...processes.values()].flat();
      for (const found of all) found.kill();
      await Promise.all(all.map(({ ended }) => ended));
      await Promise.allSettled(open);
    },
  };
}

/** Nothing of the test's own environment: what a function needs, the stack has to give it. */
function environmentOf(
  fn: LambdaFunction,
  session: string,
  endpoint: string,
  region: string,
): Readonly<Record<string, string>> {
  return {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    LANG: "en_US.UTF-8",
    TZ: ":UTC",
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: "AWS_Lambda_nodejs24.x",
    AWS_LAMBDA_FUNCTION_NAME: fn.name,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(fn.memoryMiB ?? 256),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${fn.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: session.replaceAll("/", "-"),
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_ENDPOINT_URL: endpoint,
    ...fn.environment,
    AWS_ACCESS_KEY_ID: accessKeyOf(fn.name),
    AWS_SECRET_ACCESS_KEY: "a-secret-of-nothing",
    AWS_SESSION_TOKEN: session,
  };
}

/** A function's requests carry it, so that each names its caller. */
export function accessKeyOf(name: string): string {
  return `ASIA${name.replaceAll(/[^A-Za-z0-9]/g, "").toUpperCase()}`;
}

function requestIdOf(number: number): string {
  const hash = createHash("sha256").update(`invocation ${number}`).digest("hex");
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-4${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}

/** As Lambda writes it for a destination. */
function failureRecord(
  fn: LambdaFunction,
  requestId: string,
  event: unknown,
  outcome: Invoked | "throttled",
): unknown {
  const error =
    outcome !== "throttled" && outcome.kind === "error"
      ? { errorType: outcome.errorType, errorMessage: outcome.errorMessage }
      : { errorMessage: outcome === "throttled" ? "throttled" : outcome.kind };
  return {
    version: "1.0",
    timestamp: new Date().toISOString(),
    requestContext: {
      requestId,
      functionArn: `arn:aws:lambda:${usualRegion}:${account}:function:${fn.name}:$LATEST`,
      condition: outcome === "throttled" ? "EventAgeExceeded" : "RetriesExhausted",
    },
    requestPayload: event,
    responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
    responsePayload: error,
  };
}

async function synchronous(run: Promise<Invoked | "throttled">): Promise<Answer> {
  const outcome = await run;
  if (outcome === "throttled") return problem(429, "TooManyRequestsException", "Rate Exceeded.");
  if (outcome.kind === "result") return { status: 200, body: JSON.stringify(outcome.result) };
  return {
    status: 200,
    headers: { "x-amz-function-error": "Unhandled" },
    body: JSON.stringify({
      errorType: outcome.kind === "error" ? outcome.errorType : "Sandbox.Timedout",
      errorMessage: outcome.kind === "error" ? outcome.errorMessage : outcome.kind,
    }),
  };
}

function problem(status: number, type: string, message: string): Answer {
  return {
    status,
    headers: { "content-type": "application/json", "x-amzn-errortype": type },
    body: JSON.stringify({ Type: "User", message }),
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
