// Settings in a file, YAML or JSON: read, or refused with one sentence that names the file.

import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { SettingsError } from "../core/errors.ts";

/** `where` names the file for whoever reads the error. */
export function readSettingsFile(path: string, where: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new SettingsError(`${where}: the file cannot be read`, { cause });
  }
  if (isToml(path, text)) {
    throw new SettingsError(
      `${where}: config.toml itself is not read: write the keys of its [[runners]] and [runners.docker] as YAML, ` +
        'all on one level, such as "image: alpine:3"',
    );
  }
  try {
    // JSON is YAML too.
    return parse(text);
  } catch (cause) {
    const says = cause instanceof Error ? cause.message.split("\n", 1)[0] : "";
    throw new SettingsError(`${where}: neither YAML nor JSON: ${says}`, { cause });
  }
}

function isToml(path: string, text: string): boolean {
  return path.endsWith(".toml") || /^\s*\[\[?[A-Za-z_.]+\]\]?\s*$/m.test(text);
}
