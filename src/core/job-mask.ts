// What somebody else than the job's agent says about a job, made fit for its log: the same secrets are masked as
// there.

import { resolveFeatureFlags } from "./feature-flags.ts";
import type { Job } from "./job.ts";
import type { Settings } from "./settings.ts";
import { jobTokenPrefixes } from "./token-prefixes.ts";
import { createTraceFilter } from "./trace-filter.ts";
import { jobVariables, payloadTokens } from "./variables.ts";

/** To be applied before a text is cut: half a secret is not found any more. */
export type TextMask = (text: string) => string;

export function jobMask(
  job: Job,
  settings: Pick<Settings, "feature_flags" | "environment">,
): TextMask {
  const { flags } = resolveFeatureFlags({
    configured: settings.feature_flags,
    environment: settings.environment,
    variables: job.variables,
  });
  return textMask(
    jobSecrets(job),
    jobTokenPrefixes(job.features.token_mask_prefixes, flags.FF_MASK_ALL_DEFAULT_TOKENS),
  );
}

function jobSecrets(job: Job): readonly string[] {
  const entries = job.variables.map((variable) => ({
    ...variable,
    value: variable.value.reveal(),
  }));
  return jobVariables(entries, { tempDir: "", alsoMasked: payloadTokens(job) }).maskedValues();
}

/** For where nothing more is known of a job. */
export function textMask(
  secrets: readonly string[],
  tokenPrefixes: readonly string[] = [],
): TextMask {
  return (text) => {
    const filter = createTraceFilter({
      secrets,
      tokenPrefixes,
      timestamps: false,
      stream: "00O",
      now: () => 0,
    });
    const decoder = new TextDecoder();
    const begun = decoder.decode(filter.write(new TextEncoder().encode(text)), { stream: true });
    return begun + decoder.decode(filter.close());
  };
}
