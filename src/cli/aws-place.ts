// Where a command on AWS does its work: the environment's names, and clients set up in the standard way (profile,
// region, AWS_ENDPOINT_URL).

import {
  GetFunctionConfigurationCommand,
  LambdaClient,
  paginateListFunctions,
} from "@aws-sdk/client-lambda";
import { Option } from "commander";
import { environmentNameRule, isEnvironmentName } from "../core/environment-name.ts";
import { SettingsError } from "../core/errors.ts";
import { functionEnvironmentSchema } from "../core/function-environment.ts";
import type { FunctionEnvironment } from "../core/function-environment.ts";

// The SDK's own advice on versions of Node, which its clients give when they are made: no business of who uses us.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";

export interface PlaceOptions {
  readonly env: string;
  readonly region?: string;
}

export interface DeployedPlace extends PlaceOptions {
  /** The deployment's namePrefix. */
  readonly prefix?: string;
}

export const environmentOption = () =>
  new Option("--env <name>", "the environment, as it was deployed (-c env=…)").default("default");

export const regionOption = () =>
  new Option("--region <name>", "AWS's region (or AWS_REGION, or the profile's)");

export const prefixOption = () =>
  new Option("--prefix <name>", "the deployment's namePrefix (default: gitlab-burst-<env>)");

export function namePrefix({ env, prefix }: DeployedPlace): string {
  return prefix ?? `gitlab-burst-${env}`;
}

/** `/gitlab-burst/<env>`, where its settings lie. */
export function parametersPath({ env }: PlaceOptions): string {
  if (!isEnvironmentName(env)) {
    throw new SettingsError(`--env ${JSON.stringify(env)}: ${environmentNameRule}`);
  }
  return `/gitlab-burst/${env}`;
}

/** For every client. The SDK looks elsewhere for what is not given. */
export function clientOptions({ region }: PlaceOptions): { readonly region?: string } {
  return region === undefined ? {} : { region };
}

/** What the SDK says where it has no region or no credentials, in words that help. */
export async function onAws<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    if (/^Region (?:is missing|not accepted)/.test(cause.message)) {
      throw new SettingsError("AWS's region is not known: give --region, or set AWS_REGION", {
        cause,
      });
    }
    if (cause.name === "CredentialsProviderError") {
      throw new SettingsError(
        `AWS's credentials are not known (${cause.message}): sign in, or set AWS_PROFILE`,
        { cause },
      );
    }
    throw cause;
  }
}

/** Whether any function of this account and region works with these parameters, whatever its name begins with. */
export async function hasFunctions(place: PlaceOptions): Promise<boolean> {
  const path = parametersPath(place);
  const client = new LambdaClient(clientOptions(place));
  try {
    for await (const { Functions = [] } of paginateListFunctions({ client }, {})) {
      const found = Functions.some(
        ({ Environment }) => Environment?.Variables?.["BURST_PARAMETERS"] === path,
      );
      if (found) return true;
    }
    return false;
  } finally {
    client.destroy();
  }
}

/** As the stack made it, read from the launcher's environment; undefined where there is no such function. */
export async function deployedEnvironment(
  place: DeployedPlace,
): Promise<FunctionEnvironment | undefined> {
  const client = new LambdaClient(clientOptions(place));
  try {
    const FunctionName = `${namePrefix(place)}-launcher`;
    const found = await client.send(new GetFunctionConfigurationCommand({ FunctionName }));
    const parsed = functionEnvironmentSchema.safeParse(found.Environment?.Variables ?? {});
    return parsed.success ? parsed.data : undefined;
  } catch (cause) {
    if (cause instanceof Error && cause.name === "ResourceNotFoundException") return undefined;
    throw cause;
  } finally {
    client.destroy();
  }
}
