// What GitLab is told when an image could not be pulled, read from the engine's text. The texts differ by
// engine and registry but these phrases do not; the order matters: a network failure explains a later
// "not found", so it is looked for first.

import type { FailureReason } from "./failure-reason.ts";

const phrases: readonly (readonly [FailureReason, readonly string[]])[] = [
  [
    "runner_external_dependency_failure",
    [
      "dial tcp",
      "connection refused",
      "no such host",
      "i/o timeout",
      "tls handshake",
      "client.timeout exceeded",
      "request canceled",
      "connection reset",
    ],
  ],
  [
    "runner_configuration_error",
    [
      "not found",
      "manifest unknown",
      "pull access denied",
      "access to the resource is denied",
      "no basic auth credentials",
      "repository does not exist or may require",
      "unauthorized",
      "authentication required",
    ],
  ],
];

/** The failure reason for the text of a failed pull. */
export function pullFailureReason(text: string): FailureReason {
  const lowered = text.toLowerCase();
  for (const [reason, known] of phrases) {
    if (known.some((phrase) => lowered.includes(phrase))) return reason;
  }
  return "image_pull_failure";
}
