// The terminal sequences GitLab's job page knows from its own runner, and the shapes of a runner's lines.

export const clear = "\x1b[0K";
export const reset = "\x1b[0;m";
export const boldRed = "\x1b[31;1m";
export const boldGreen = "\x1b[32;1m";
export const boldYellow = "\x1b[33;1m";
export const boldCyan = "\x1b[36;1m";
export const yellow = "\x1b[0;33m";
export const grey = "\x1b[0;37m";

export function plainLine(text: string): string {
  return `${clear}${text}${reset}\n`;
}

/** What is going on. */
export function infoLine(text: string): string {
  return `${boldGreen}${text}${reset}\n`;
}

export function warningLine(text: string): string {
  return `${yellow}WARNING: ${text}${reset}\n`;
}

export function errorLine(text: string): string {
  return `${boldRed}ERROR: ${text}${reset}\n`;
}
