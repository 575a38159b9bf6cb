// The part of a stage's program that sets its environment: the job's variables, then what earlier
// stages left in the GITLAB_ENV file.

import { isExportable, readOnlyNames, shellQuote } from "./shell-quote.ts";

/** The file whose `KEY=value` lines every later stage exports. */
export function gitlabEnvFile(tempDir: string): string {
  return `${tempDir}/gitlab_runner_env`;
}

/** Names that no shell could export are left out. */
export function exportLines(
  exports: ReadonlyMap<string, string>,
  tempDir: string,
): readonly string[] {
  const file = gitlabEnvFile(tempDir);
  return [
    ...[...exports]
      .filter(([key]) => isExportable(key))
      .map(([key, value]) => `export ${key}=${shellQuote(value)}`),
    `export GITLAB_ENV=${shellQuote(file)}`,
    `[ -d ${shellQuote(tempDir)} ] || mkdir -p ${shellQuote(tempDir)}`,
    ...readBack(file),
  ];
}

/** Lines that are no assignment are passed over: dash would end the script at one. */
function readBack(file: string): readonly string[] {
  return [
    `if [ -r ${shellQuote(file)} ]; then`,
    'while IFS= read -r burst_line || [ -n "$burst_line" ]; do',
    'case "${burst_line%%=*}" in',
    `'' | [0-9]* | *[!A-Za-z0-9_]* | ${[...readOnlyNames].join(" | ")}) ;;`,
    '*) case "$burst_line" in *=*) export "$burst_line" ;; esac ;;',
    "esac",
    `done <${shellQuote(file)}`,
    "unset burst_line",
    "fi",
  ];
}
