// `burst register`: a runner of an environment on AWS. Makes it in GitLab by a person's access token, or takes the token
// of one that is there; sees that GitLab knows it; and puts it into Parameter Store. The token is never printed.

import { readFileSync } from "node:fs";
import { SSMClient } from "@aws-sdk/client-ssm";
import { Command, InvalidArgumentError } from "commander";
import { parse } from "yaml";
import { createParameters } from "../aws/parameters.ts";
import type { Parameters } from "../aws/parameters.ts";
import {
  parseEnvironmentSettings,
  parseRegistryAuth,
  parseRunnerSettings,
} from "../core/environment-settings.ts";
import { SettingsError } from "../core/errors.ts";
import { runnerNameMistake, runnerParameter } from "../core/runner-parameters.ts";
import { tokenMistake } from "../core/runner-token.ts";
import { Secret } from "../core/secret.ts";
import type { Settings } from "../core/settings.ts";
import { createGitLabClient } from "../gitlab/client.ts";
import type { GitLabClient } from "../gitlab/client.ts";
import { runnerInfo } from "../gitlab/info.ts";
import type { RunnerScope } from "../gitlab/register-runner.ts";
import { runnerPlace, stableSystemId } from "../gitlab/stable-system-id.ts";
import {
  clientOptions,
  environmentOption,
  onAws,
  parametersPath,
  regionOption,
} from "./aws-place.ts";
import type { PlaceOptions } from "./aws-place.ts";
import { reportFailure } from "./exit.ts";
import { packageVersion } from "./package-version.ts";
import { prependUrl, settingsText } from "./settings-text.ts";

interface RegisterOptions extends PlaceOptions {
  readonly url?: string;
  readonly token?: string;
  readonly accessToken?: string;
  readonly scope?: RunnerScope;
  readonly description?: string;
  readonly tagList?: readonly string[];
  readonly runUntagged?: boolean;
  readonly settings?: string;
  readonly registryAuth?: string;
  readonly replace?: boolean;
}

export function registerCommand(): Command {
  return new Command("register")
    .description("put a runner into an environment on AWS, and make it in GitLab if need be")
    .argument("<name>", "its name there: letters, digits, - and _")
    .addOption(environmentOption())
    .addOption(regionOption())
    .option("--url <url>", "GitLab's address (or CI_SERVER_URL; default: https://gitlab.com)")
    .option("--token <token>", "token of a runner that exists, glrt-… (or CI_SERVER_TOKEN)")
    .option(
      "--access-token <token>",
      "makes the runner: a token with scope create_runner or api (or GITLAB_TOKEN)",
    )
    .option("--scope <scope>", "where: instance, group:<id> or project:<id>", parseScope)
    .option("--description <text>", "of the runner that is made (default: its name)")
    .option("--tag-list <tags>", "of the runner that is made, by commas", (text) =>
      text.split(",").map((tag) => tag.trim()),
    )
    .option("--run-untagged", "whether it takes jobs without tags too")
    .option("--settings <file>", "its settings, YAML or JSON")
    .option("--registry-auth <file>", "logins for private registries, a docker config.json")
    .option("--replace", "also where there is such a runner already")
    .action(async (name: string, options: RegisterOptions) => {
      try {
        await onAws(() => register(name, options));
      } catch (cause) {
        reportFailure(cause);
      }
    });
}

function parseScope(text: string): RunnerScope {
  const [, kind, id] = /^(group|project):(\d+)$/.exec(text) ?? [];
  if (text === "instance") return { runnerType: "instance_type" };
  if (kind === "group") return { runnerType: "group_type", groupId: Number(id) };
  if (kind === "project") return { runnerType: "project_type", projectId: Number(id) };
  throw new InvalidArgumentError("expected instance, group:<id> or project:<id>.");
}

async function register(name: string, options: RegisterOptions): Promise<void> {
  const path = parametersPath(options);
  const mistake = runnerNameMistake(name);
  if (mistake !== undefined) throw new SettingsError(mistake);
  const given = readGiven(options);
  const client = new SSMClient(clientOptions(options));
  try {
    const parameters = createParameters(client);
    await refuseTaken(parameters, path, name, options.replace === true);
    const token = await obtainToken(name, path, options, given.settings);
    try {
      const at = (leaf: "token" | "settings" | "registry-auth") =>
        runnerParameter(path, name, leaf);
      // The token comes last: with it the runner is one.
      if (given.text !== "") await parameters.put(at("settings"), given.text);
      if (given.logins !== undefined) await parameters.put(at("registry-auth"), given.logins);
      await parameters.put(at("token"), token.value);
    } catch (cause) {
      await token.undo();
      throw cause;
    }
    process.stdout.write(
      `${name}: in ${path}/runners/${name}, for ${given.settings.url}. It asks for jobs within a minute.\n`,
    );
  } finally {
    client.destroy();
  }
}

function readGiven(options: RegisterOptions) {
  const url = options.url ?? process.env["CI_SERVER_URL"];
  const file = options.settings;
  const written = file === undefined ? "" : readText("--settings", file);
  const text = url === undefined ? written : prependUrl(written, url, file ?? "--settings");
  const where = file ?? "--url";
  const environment = parseEnvironmentSettings({}, where);
  if (environment.kind === "invalid") throw new SettingsError(environment.mistakes.join("\n"));
  const parsed = parseRunnerSettings(parseText(text, where), environment, {
    where,
    environmentWhere: `${parametersPath(options)}/settings`,
  });
  if (parsed.kind === "invalid") throw new SettingsError(parsed.mistakes.join("\n"));
  return {
    text: settingsText(text, where),
    settings: parsed.settings,
    logins: readLogins(options.registryAuth),
  };
}

function readLogins(file: string | undefined): Secret | undefined {
  if (file === undefined) return undefined;
  const parsed = parseRegistryAuth(readText("--registry-auth", file), file);
  if (parsed.kind === "invalid") throw new SettingsError(parsed.mistake);
  return parsed.logins;
}

function readText(flag: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new SettingsError(`${flag} ${file}: the file cannot be read`, { cause });
  }
}

function parseText(text: string, where: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    throw new SettingsError(`${where}: expected YAML or JSON, found a text that is neither`, {
      cause,
    });
  }
}

async function refuseTaken(
  parameters: Parameters,
  path: string,
  name: string,
  replace: boolean,
): Promise<void> {
  if (replace) return;
  const taken = await parameters.list(`${path}/runners/${name}`);
  if (taken.length === 0) return;
  throw new SettingsError(
    `There is a runner ${name} already (${taken.map((entry) => entry.name).join(", ")}): give another name, or --replace`,
  );
}

interface ObtainedToken {
  readonly value: Secret;
  /** Takes back what was made in GitLab. */
  readonly undo: () => Promise<void>;
}

async function obtainToken(
  name: string,
  path: string,
  options: RegisterOptions,
  settings: Settings,
): Promise<ObtainedToken> {
  const { url, tls_ca_certificate: ca, labels } = settings;
  const connect = (token?: Secret): GitLabClient =>
    createGitLabClient({
      url,
      token,
      systemId: stableSystemId(runnerPlace(path, name)),
      info: runnerInfo({ version: packageVersion(), executor: "fargate", shell: "sh", labels }),
      ...(ca === "" ? {} : { ca }),
    });
  const given = options.token ?? process.env["CI_SERVER_TOKEN"] ?? "";
  const access = options.accessToken ?? process.env["GITLAB_TOKEN"] ?? "";
  if (given !== "") {
    const wrong = tokenMistake(given);
    if (wrong !== undefined) throw new SettingsError(`--token: ${wrong}`);
    const value = new Secret(given);
    await closing(connect(value), verify);
    return { value, undo: async () => {} };
  }
  if (access === "") {
    throw new SettingsError(
      "A token is missing: give --token (or CI_SERVER_TOKEN) of a runner that exists, or --access-token (or GITLAB_TOKEN) and --scope to make one",
    );
  }
  const { scope } = options;
  if (scope === undefined) {
    throw new SettingsError("--scope is missing: instance, group:<id> or project:<id>");
  }
  const reply = await closing(
    connect(),
    async (gitlab) =>
      await gitlab.createRunner(new Secret(access), scope, {
        description: options.description ?? name,
        tagList: options.tagList ?? [],
        runUntagged: options.runUntagged ?? options.tagList === undefined,
      }),
  );
  if (reply.kind !== "registered") throw new SettingsError(reply.message);
  const value = reply.token;
  const undo = async () => {
    await closing(connect(value), (gitlab) => gitlab.unregisterRunner());
  };
  return { value, undo };
}

async function closing<T>(
  gitlab: GitLabClient,
  action: (gitlab: GitLabClient) => Promise<T>,
): Promise<T> {
  try {
    return await action(gitlab);
  } finally {
    await gitlab.close();
  }
}

async function verify(gitlab: GitLabClient): Promise<void> {
  const reply = await gitlab.verifyRunner();
  if (reply.kind === "valid") return;
  throw new SettingsError(
    reply.kind === "invalid"
      ? `--token: GitLab does not accept it (${reply.message}): give the glrt- token of a runner that exists there`
      : reply.message,
  );
}
