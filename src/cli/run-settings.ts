// What `burst run` runs with: flags first, then the environment, then the settings file.

import { SettingsError } from "../core/errors.ts";
import { Secret } from "../core/secret.ts";
import { parseSettings } from "../core/settings.ts";
import type { Settings } from "../core/settings.ts";
import { readSettingsFile } from "./settings-file.ts";

export interface RunFlags {
  readonly url?: string;
  readonly token?: string;
  readonly settings?: string;
}

export interface RunSource {
  readonly url: string;
  readonly token: Secret;
  readonly settings: Settings;
  /** As the file has them, for the agent to read again. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** Throws SettingsError with one sentence that names the flag, variable or path in the file. */
export function readRunSource(
  flags: RunFlags,
  environment: Readonly<Record<string, string | undefined>>,
): RunSource {
  const raw = flags.settings === undefined ? {} : readFile(flags.settings);
  const parsed = parseSettings(raw, flags.settings ?? "settings");
  if (parsed.kind === "invalid") throw new SettingsError(parsed.message);
  const url =
    flags.url ??
    environment["CI_SERVER_URL"] ??
    (raw["url"] === undefined ? "" : parsed.settings.url);
  if (url === "") {
    throw new SettingsError(
      "--url (or CI_SERVER_URL) is missing: give your GitLab's address, such as https://gitlab.com",
    );
  }
  const token = flags.token ?? environment["CI_SERVER_TOKEN"] ?? "";
  if (token === "") {
    throw new SettingsError(
      "--token (or CI_SERVER_TOKEN) is missing: create a runner in GitLab (Settings, CI/CD, Runners) " +
        "and give the glrt- token it shows",
    );
  }
  return { url, token: new Secret(token), settings: parsed.settings, raw };
}

function readFile(path: string): Record<string, unknown> {
  const where = `--settings ${path}`;
  const value = readSettingsFile(path, where);
  if (value === null || value === undefined) return {};
  if (typeof value === "object" && !Array.isArray(value)) return { ...value };
  throw new SettingsError(`${where}: must hold keys and values, such as "limit: 4"`);
}
