// The marks between which GitLab's job page folds the trace and measures time.

import { boldCyan, clear, plainLine, reset } from "./colours.ts";

export interface SectionOptions {
  readonly collapsed?: boolean;
  readonly hideDuration?: boolean;
}

/** The mark, and the title's line where there is one. */
export function sectionStart(
  name: string,
  unixSeconds: number,
  title?: string,
  options: SectionOptions = {},
): string {
  const mark = `section_start:${Math.floor(unixSeconds)}:${name}${optionText(options)}\r${clear}`;
  return title === undefined ? mark : `${mark}${plainLine(`${boldCyan}${title}${reset}`)}`;
}

export function sectionEnd(name: string, unixSeconds: number): string {
  return `section_end:${Math.floor(unixSeconds)}:${name}\r${clear}`;
}

function optionText(options: SectionOptions): string {
  const set = [
    ...(options.collapsed === true ? ["collapsed=true"] : []),
    ...(options.hideDuration === true ? ["hide_duration=true"] : []),
  ];
  return set.length === 0 ? "" : `[${set.join(",")}]`;
}
