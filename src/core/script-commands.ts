// The job's own lines as shell text: each shown in bold green before it runs, as GitLab's users know it.

import { boldGreen, reset } from "./colours.ts";
import { sectionEnd, sectionStart } from "./section.ts";
import { shellQuote } from "./shell-quote.ts";

export interface CommandStyle {
  /** Several lines in one entry: all of them in a collapsed section, not only the first. */
  readonly sections: boolean;
  /** Leave after any command that failed, errexit or not. */
  readonly exitChecks: boolean;
  readonly nowUnixSeconds: number;
}

/** `prefix` and the command's position name its section. */
export function commandLines(
  commands: readonly string[],
  prefix: string,
  style: CommandStyle,
): readonly string[] {
  return commands.flatMap((entry, index) => {
    const command = entry.trim();
    return [
      ...announcement(command, `section_${prefix}_${String(index)}`, style),
      command,
      ...(style.exitChecks ? [exitCheck] : []),
    ];
  });
}

/** A line of the runner's own within a script's output. */
export function noticeLine(text: string): string {
  return printLine(green(text));
}

const exitCheck =
  'burst_status=$?; if [ "$burst_status" -ne 0 ]; then exit "$burst_status"; fi; unset burst_status';

function announcement(command: string, section: string, style: CommandStyle): readonly string[] {
  if (command === "") return ["echo"];
  const lineEnd = command.indexOf("\n");
  if (lineEnd === -1) return [noticeLine(`$ ${command}`)];
  if (!style.sections) {
    return [noticeLine(`$ ${command.slice(0, lineEnd)} # collapsed multi-line command`)];
  }
  const folded = { collapsed: true, hideDuration: true };
  const start = sectionStart(section, style.nowUnixSeconds, undefined, folded);
  return [
    printLine(`${start}${green(`$ ${command}`)}`),
    printLine(sectionEnd(section, style.nowUnixSeconds)),
  ];
}

function green(text: string): string {
  return `${boldGreen}${text}${reset}`;
}

/** printf, not echo: dash's echo would read backslashes in a command. */
function printLine(text: string): string {
  return `printf '%s\\n' ${shellQuote(text)}`;
}
