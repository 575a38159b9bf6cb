// Words for a POSIX shell: safe in busybox ash, dash and bash, whatever bytes they hold.

/** One word in single quotes. A shell's strings cannot hold NUL, so NULs are dropped. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("\0", "").replaceAll("'", `'\\''`)}'`;
}

const shellName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Names that bash keeps read-only: assigning one ends the script. */
export const readOnlyNames: ReadonlySet<string> = new Set([
  "BASHOPTS",
  "BASH_VERSINFO",
  "EUID",
  "PPID",
  "SHELLOPTS",
  "UID",
]);

/** Whether `export NAME=…` works in every shell we run in. */
export function isExportable(name: string): boolean {
  return shellName.test(name) && !readOnlyNames.has(name);
}
