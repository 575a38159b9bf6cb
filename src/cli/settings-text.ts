// The text of a runner's settings as it goes into a parameter: the user's own words, with GitLab's address put before
// them where they lack it.

import { parse } from "yaml";
import { SettingsError } from "../core/errors.ts";

/** Parameter Store's limits, in bytes. */
export const parameterBytes = { standard: 4096, advanced: 8192 } as const;

export function prependUrl(text: string, url: string, where: string): string {
  const known: unknown = parse(text) ?? {};
  if (typeof known !== "object" || known === null || Array.isArray(known)) return text;
  if ("url" in known && known.url !== undefined) {
    if (known.url === url) return text;
    throw new SettingsError(
      `${where}: url: says another address than --url (or CI_SERVER_URL): give one of the two`,
    );
  }
  if (text.trimStart().startsWith("{")) return JSON.stringify({ url, ...known }, undefined, 2);
  return `url: ${JSON.stringify(url)}\n${text}`;
}

/** Refuses what no parameter can hold. */
export function settingsText(text: string, where: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes <= parameterBytes.advanced) return text;
  throw new SettingsError(
    `${where}: ${bytes} bytes are more than a parameter can hold (${parameterBytes.standard}, or ${parameterBytes.advanced} as an advanced one): move what all runners share into the environment's settings, or scripts into an image`,
  );
}
