// The runners of an environment, as Parameter Store has them at this moment. Every call lists what is there; a secret
// is decrypted only when it is new, for that is what costs. One runner's mistake never stops the others.

import type { ListedParameter, Parameters } from "../aws/parameters.ts";
import {
  parseEnvironmentSettings,
  parseRegistryAuth,
  parseRunnerSettings,
} from "../core/environment-settings.ts";
import type { EnvironmentSettings, ParsedEnvironment } from "../core/environment-settings.ts";
import {
  environmentParameter,
  runnerParameter,
  sortParameters,
} from "../core/runner-parameters.ts";
import type { RunnerLeaf, SortedParameters } from "../core/runner-parameters.ts";
import { tokenMistake } from "../core/runner-token.ts";
import { Secret } from "../core/secret.ts";
import type { Settings } from "../core/settings.ts";

export interface LoadedRunner {
  /** As in the parameter's path: letters, digits, - and _, 64 at most. */
  readonly name: string;
  /** With the environment's defaults, and registry_auth from its own parameter. */
  readonly settings: Settings;
  /** The same before they were validated, without registry_auth: for an agent to read again. */
  readonly rawSettings: Readonly<Record<string, unknown>>;
  readonly token: Secret;
  readonly systemId: string;
}

export interface LoadedRunners {
  readonly environment: EnvironmentSettings;
  /** None where the environment's own settings are wrong: what they forbid must not be forgotten. */
  readonly runners: readonly LoadedRunner[];
  /** One sentence each: parameter, path in it, what was found, what would be right. */
  readonly mistakes: readonly string[];
}

export interface RunnerLoader {
  load(): Promise<LoadedRunners>;
}

export interface RunnerSource {
  readonly parameters: Pick<Parameters, "list" | "secrets">;
  /** `/gitlab-burst/<env>`, without a slash at the end. */
  readonly path: string;
  /** YAML, and so JSON. Throws where the text is neither. */
  readonly parseText: (text: string) => unknown;
  readonly systemId: (runner: string) => string;
}

export function createRunnerLoader(source: RunnerSource): RunnerLoader {
  const vault = openVault(source.parameters);
  return {
    async load() {
      const listed = await source.parameters.list(source.path);
      const values = await vault.values(listed);
      return readRunners(source, sortParameters(source.path, listed), values);
    },
  };
}

/** By name, what a parameter holds. */
type Values = ReadonlyMap<string, string>;

/** Keeps what was decrypted, for as long as the parameter stays as it was. */
function openVault(parameters: RunnerSource["parameters"]) {
  const kept = new Map<string, { readonly stamp: string; readonly value: Secret }>();
  return {
    async values(listed: readonly ListedParameter[]): Promise<Values> {
      const secure = listed.filter(({ value }) => value === undefined);
      const changed = secure.filter((entry) => kept.get(entry.name)?.stamp !== stampOf(entry));
      if (changed.length > 0) {
        const opened = await decrypt(
          parameters,
          changed.map(({ name }) => name),
        );
        for (const entry of changed) {
          const value = opened.get(entry.name);
          if (value !== undefined) kept.set(entry.name, { stamp: stampOf(entry), value });
          else kept.delete(entry.name);
        }
      }
      const present = new Set(secure.map(({ name }) => name));
      for (const name of kept.keys()) if (!present.has(name)) kept.delete(name);
      const values = new Map<string, string>();
      for (const { name, value } of listed) {
        const text = value ?? kept.get(name)?.value.reveal();
        if (text !== undefined) values.set(name, text);
      }
      return values;
    },
  };
}

/** A key that we may not use refuses all that is asked for with it: then each is asked for by itself. */
async function decrypt(
  parameters: RunnerSource["parameters"],
  names: readonly string[],
): Promise<ReadonlyMap<string, Secret>> {
  try {
    return await parameters.secrets(names);
  } catch (cause) {
    if (!isDenied(cause)) throw cause;
  }
  const opened = new Map<string, Secret>();
  for (const name of names) {
    try {
      for (const [found, value] of await parameters.secrets([name])) opened.set(found, value);
    } catch (cause) {
      // Its runner is told to be without it; what passes by itself must not look like that.
      if (!isDenied(cause)) throw cause;
    }
  }
  return opened;
}

function isDenied(cause: unknown): boolean {
  return cause instanceof Error && /AccessDenied|InvalidKeyId/.test(cause.name);
}

/** A parameter that was removed and made again begins at version 1 again. */
function stampOf({ version, modifiedAt = 0 }: ListedParameter): string {
  return `${version} ${modifiedAt}`;
}

function readRunners(
  source: RunnerSource,
  sorted: SortedParameters<ListedParameter>,
  values: Values,
): LoadedRunners {
  const environmentWhere = environmentParameter(source.path);
  const mistakes = [...sorted.mistakes];
  const text = readText(source, sorted.environment, values);
  const environment: ParsedEnvironment =
    text.kind === "invalid"
      ? { kind: "invalid", mistakes: [text.mistake] }
      : parseEnvironmentSettings(text.value, environmentWhere);
  if (environment.kind === "invalid") {
    mistakes.push(...environment.mistakes);
    return { environment: pausedEnvironment(), runners: [], mistakes };
  }
  const runners: LoadedRunner[] = [];
  for (const [name, found] of [...sorted.runners].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const read = readRunner({ source, environment, environmentWhere, values }, name, found);
    if (read.kind === "runner") runners.push(read.runner);
    else mistakes.push(...read.mistakes);
  }
  return { environment: environment.settings, runners, mistakes };
}

function pausedEnvironment(): EnvironmentSettings {
  const parsed = parseEnvironmentSettings({ paused: true }, "defaults");
  if (parsed.kind === "invalid") throw new Error(parsed.mistakes.join("\n"));
  return parsed.settings;
}

const undecryptable =
  "found a SecureString that our functions may not decrypt: use the KMS key that the environment was deployed with, or the account's own";

interface RunnerContext {
  readonly source: RunnerSource;
  readonly environment: Extract<ParsedEnvironment, { kind: "settings" }>;
  readonly environmentWhere: string;
  readonly values: Values;
}

type ReadRunner =
  | { readonly kind: "runner"; readonly runner: LoadedRunner }
  | { readonly kind: "invalid"; readonly mistakes: readonly string[] };

function readRunner(
  { source, environment, environmentWhere, values }: RunnerContext,
  name: string,
  found: Readonly<Partial<Record<RunnerLeaf, ListedParameter>>>,
): ReadRunner {
  const mistakes: string[] = [];
  const where = runnerParameter(source.path, name, "settings");
  const token = readToken(found.token, values, runnerParameter(source.path, name, "token"));
  if (token.kind === "invalid") mistakes.push(token.mistake);

  const text = readText(source, found.settings, values);
  const parsed =
    text.kind === "invalid"
      ? { kind: "invalid" as const, mistakes: [text.mistake] }
      : parseRunnerSettings(text.value, environment, { where, environmentWhere });
  if (parsed.kind === "invalid") mistakes.push(...parsed.mistakes);

  const logins = readLogins(found["registry-auth"], values);
  if (logins.kind === "invalid") mistakes.push(logins.mistake);

  if (token.kind === "invalid" || parsed.kind === "invalid" || logins.kind === "invalid") {
    return { kind: "invalid", mistakes };
  }
  return {
    kind: "runner",
    runner: {
      name,
      settings: { ...parsed.settings, registry_auth: logins.logins },
      rawSettings: parsed.raw,
      token: token.token,
      systemId: source.systemId(name),
    },
  };
}

function readText(
  source: RunnerSource,
  parameter: ListedParameter | undefined,
  values: Values,
):
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "invalid"; readonly mistake: string } {
  if (parameter === undefined) return { kind: "value", value: {} };
  const text = values.get(parameter.name);
  if (text === undefined) {
    return {
      kind: "invalid",
      mistake: `${parameter.name}: expected settings, ${undecryptable}`,
    };
  }
  try {
    return { kind: "value", value: source.parseText(text) };
  } catch (cause) {
    const says = cause instanceof Error ? firstLine(cause.message) : "it cannot be read";
    const mistake = `${parameter.name}: expected YAML or JSON, found a text that is neither: ${says}`;
    return { kind: "invalid", mistake };
  }
}

/** What follows it in a YAML error is the text itself. */
function firstLine(message: string): string {
  return message.split("\n", 1)[0]?.replace(/:$/, "") ?? "";
}

function readToken(
  parameter: ListedParameter | undefined,
  values: Values,
  where: string,
):
  | { readonly kind: "token"; readonly token: Secret }
  | { readonly kind: "invalid"; readonly mistake: string } {
  if (parameter === undefined) {
    return {
      kind: "invalid",
      mistake: `${where}: expected the runner's token (glrt-…) in a SecureString, found no such parameter`,
    };
  }
  if (!parameter.secure) {
    return {
      kind: "invalid",
      mistake: `${where}: expected a SecureString, found a String, which keeps the token in plain text: remove it, reset the token in GitLab, and put the new one as a SecureString`,
    };
  }
  const value = values.get(where);
  if (value === undefined) {
    return {
      kind: "invalid",
      mistake: `${where}: expected the runner's token (glrt-…), ${undecryptable}`,
    };
  }
  const token = value.trim();
  const mistake = tokenMistake(token);
  if (mistake !== undefined) return { kind: "invalid", mistake: `${where}: ${mistake}` };
  return { kind: "token", token: new Secret(token) };
}

function readLogins(
  parameter: ListedParameter | undefined,
  values: Values,
): ReturnType<typeof parseRegistryAuth> {
  if (parameter === undefined) return { kind: "logins", logins: new Secret("") };
  const value = values.get(parameter.name);
  if (value === undefined) {
    const mistake = `${parameter.name}: expected a docker config.json, ${undecryptable}`;
    return { kind: "invalid", mistake };
  }
  if (!parameter.secure) {
    const mistake = `${parameter.name}: expected a SecureString, found a String, which keeps the logins in plain text`;
    return { kind: "invalid", mistake };
  }
  return parseRegistryAuth(value, parameter.name);
}
