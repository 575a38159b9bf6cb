// Tokens in GitLab's shapes, so that what masks or classifies them by prefix is tested too.

import { randomBytes } from "node:crypto";

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

function letters(count: number): string {
  return Array.from(randomBytes(count), (byte) => alphabet[byte % alphabet.length]).join("");
}

export function runnerToken(): string {
  return `glrt-${letters(20)}`;
}

/** What a legacy registration hands out. */
export function legacyRunnerToken(): string {
  return letters(20);
}

export function jobToken(): string {
  return `glcbt-64_${letters(20)}`;
}

export function apiToken(): string {
  return `glpat-${letters(20)}`;
}

export function queueValue(): string {
  return letters(24).toLowerCase();
}
