// `burst settings`: checks what lies in Parameter Store for an environment, or in a file, and prints every mistake.

import { SSMClient } from "@aws-sdk/client-ssm";
import { Command, Option } from "commander";
import { parse } from "yaml";
import { createParameters } from "../aws/parameters.ts";
import { parseEnvironmentSettings, parseRunnerSettings } from "../core/environment-settings.ts";
import { SettingsError } from "../core/errors.ts";
import type { SettingsKind } from "../core/settings-reference.ts";
import { settingsJsonSchema } from "../core/settings-reference.ts";
import { createRunnerLoader } from "../flow/runners.ts";
import type { LoadedRunner } from "../flow/runners.ts";
import {
  clientOptions,
  environmentOption,
  onAws,
  parametersPath,
  regionOption,
} from "./aws-place.ts";
import type { PlaceOptions } from "./aws-place.ts";
import { exitCodes, reportFailure } from "./exit.ts";
import { readSettingsFile } from "./settings-file.ts";

interface SettingsOptions extends PlaceOptions {
  readonly file?: string;
  readonly as: SettingsKind;
}

const kindOption = () =>
  new Option("--as <kind>", "whose settings they are")
    .choices(["runner", "environment"])
    .default("runner");

export function settingsCommand(): Command {
  const schema = new Command("schema")
    .description(
      "print the JSON Schema of settings, for editors (--as environment: of all runners')",
    )
    .action((_options: unknown, command: Command) => {
      const { as } = command.optsWithGlobals<SettingsOptions>();
      process.stdout.write(`${JSON.stringify(settingsJsonSchema(as), undefined, 2)}\n`);
    });
  return new Command("settings")
    .description("check the settings of an environment on AWS, or of a file")
    .addOption(environmentOption())
    .addOption(regionOption())
    .option("--file <file>", "check this file instead, YAML or JSON")
    .addOption(kindOption())
    .addCommand(schema)
    .action(async (options: SettingsOptions) => {
      try {
        if (options.file === undefined) await onAws(() => checkEnvironment(options));
        else checkFile(options.file, options.as);
      } catch (cause) {
        reportFailure(cause);
      }
    });
}

async function checkEnvironment(options: SettingsOptions): Promise<void> {
  const path = parametersPath(options);
  const client = new SSMClient(clientOptions(options));
  try {
    const loader = createRunnerLoader({
      parameters: createParameters(client),
      path,
      parseText: (text): unknown => parse(text),
      systemId: () => "",
    });
    const { environment, runners, mistakes } = await loader.load();
    for (const runner of runners) process.stdout.write(`${describe(runner)}\n`);
    if (runners.length > 0) {
      const { vcpu_budget: vcpu, paused } = environment;
      const budget = vcpu === 0 ? "any number of" : vcpu;
      process.stdout.write(`together ${budget} vCPU at once${paused ? ", paused" : ""}\n`);
    }
    report(mistakes);
    if (runners.length === 0 && mistakes.length === 0) {
      throw new SettingsError(
        `There is no runner below ${path}/runners: put a token into ${path}/runners/<name>/token, or run \`burst register\``,
      );
    }
  } finally {
    client.destroy();
  }
}

function describe({ name, settings }: LoadedRunner): string {
  const limit = settings.limit === 0 ? "any number of jobs" : `${settings.limit} jobs`;
  const image = settings.image === "" ? "" : `, image ${settings.image}`;
  return `${name}: ${settings.url}, ${limit}${image}${settings.paused ? ", paused" : ""}`;
}

function checkFile(file: string, kind: SettingsKind): void {
  const value = readSettingsFile(file, file);
  const environment = parseEnvironmentSettings(kind === "environment" ? value : {}, file);
  const parsed =
    environment.kind === "settings" && kind === "runner"
      ? parseRunnerSettings(value, environment, {
          where: file,
          environmentWhere: "/gitlab-burst/<env>/settings",
        })
      : environment;
  if (parsed.kind === "invalid") report(parsed.mistakes);
  else process.stdout.write(`${file}: no mistakes\n`);
}

function report(mistakes: readonly string[]): void {
  for (const mistake of mistakes) process.stderr.write(`burst: ${mistake}\n`);
  if (mistakes.length > 0) process.exitCode = exitCodes.usage;
}
