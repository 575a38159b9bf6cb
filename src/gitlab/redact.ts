// The last guard of a message: whatever a server or a proxy echoes, no token of ours stays in it.

import type { Secret } from "../core/secret.ts";

export function redact(text: string, secrets: readonly Secret[]): string {
  return secrets
    .map((secret) => secret.reveal())
    .filter((value) => value !== "")
    .reduce((shown, value) => shown.replaceAll(value, "[masked]"), text);
}
